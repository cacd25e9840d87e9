"""The campaign: ask, tune, pool, train, score; one short function a step.

Owns the order of steps and what a resumed campaign need not repeat: generators that are in the bank, recognizers that
are trained, counts that have come. Must not know what a request says (`server.requests`), what becomes of one on its
way (`server.correspondence`), nor any speech.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from common.config import Config
from common.errors import UserError, UserErrors
from common.files import atomic_json
from common.protocols import Cut
from common.synthesizers.pool import NotFinite
from common.training.checkpoint import differences
from common.training.pretrained import Pretrained
from common.training.reporters import Reporter
from common.wire import Code, Description, Release, Reply, Scored, Working, needs_base
from server.bank import Bank, Banked
from server.clients import Clients
from server.correspondence import Correspondence, Failure, Question, in_few_words
from server.intake import Aside, Intake
from server.outcome import SCHEMA, Kept, read_counts
from server.plans import Plan
from server.recognizers import Recognizers, require_every_emotion
from server.requests import Requests
from server.roster import Claim, given_names
from server.sums import Sums, require_sites, session_of

RESULTS, COUNTS, BANK = "campaign.json", "counts", "bank"


class Watcher(Protocol):
    """Whoever is told how a campaign goes."""

    def stage(self, name: str, total: int) -> None:
        """A stage of so many units begins."""
        ...

    def done(self, name: str, unit: str) -> None:
        """A unit of a stage is done."""
        ...

    def working(self, session: str, working: Working) -> None:
        """A client says how far it is."""
        ...

    def failed(self, failure: Failure) -> None:
        """A client failed once; it may be asked again."""
        ...

    def put_aside(self, aside: Aside) -> None:
        """A release is not trained on."""
        ...

    def training(self, name: str) -> Reporter:
        """Who is told how the training of a recognizer goes."""
        ...


class Campaign:
    """One run of the server's side.

    Args:
        name: of the run; sites see it in every request.
        folder: the run's directory; what is in it already is not asked for again.
        plan: which recognizers are trained and where they are scored.
        per_speaker: ask for a confusion a speaker, where the site lets it out.
        holders: client to the session that its key is for, where the operator has said so.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        config: Config,
        base: Pretrained | None,
        clients: Clients,
        watcher: Watcher,
        plan: Plan,
        *,
        per_speaker: bool = False,
        holders: Mapping[str, str] | None = None,
    ) -> None:
        self._name, self._folder, self._config, self._plan = name, folder, config, plan
        self._clients, self._watcher, self._holders = clients, watcher, holders
        self._bank = Bank(folder / BANK)
        self._intake = Intake(folder, self._bank, config, watcher.put_aside)
        self._recognizers = Recognizers(folder, config, self._bank)
        self._requests = Requests(name, config, base, per_speaker=per_speaker)
        self._post = Correspondence(clients, config.campaign.attempts, self._bank.reject, watcher.failed)
        self._sums = Sums(folder, self._requests, self._post, config.campaign.tune_seconds, config.seed)

    def run(self, expected: int) -> dict[str, Any]:
        """Every step in turn; `expected` clients are waited for, and a quorum of them is enough to go on."""
        if needs_base(self._requests.tuning("any")):
            self._bank.keep_base(self._requests.base)
        banked = self._banked()
        roster = self._ask(expected, banked)
        if self._config.release.summed:
            sites, folds = self._train_on_sums(roster, banked)
            return self._conclude(sites, folds, self._score(folds, roster, self._sums.known()))
        releases, folds = self._train(self._intake.sifted(self._tune(roster, banked)))
        known = {session: one.card.known for session, one in releases.items()}
        return self._conclude(releases, folds, self._score(folds, roster, known))

    def _banked(self) -> dict[str, Banked]:
        """Session to release, of those that came before this run was stopped."""
        problems, banked = [], self._intake.banked(self._name)
        for one in banked.values():
            asked = self._requests.tuning(one.session).model_dump(mode="json")
            problems += [f"{one.name}: {line}" for line in differences(one.card.tuning.model_dump(mode="json"), asked)]
        if problems:
            raise UserErrors(f"{self._bank.folder}: this run's generators were tuned otherwise", problems)
        return banked

    def _ask(self, expected: int, banked: Mapping[str, Banked]) -> dict[str, str]:
        """Session to client, for every client that fits: a name that is its own, our labels, our features."""
        seconds = self._config.campaign.ask_seconds
        present = self._clients.names(expected, seconds)
        self._watcher.stage("ask", len(present))
        if len(present) < expected:
            self._post.fail("ask", f"{len(present)} of {expected} clients came within {seconds:g} seconds", client="?")
        told: dict[str, Description] = {}
        for question, reply in self._post.replies("ask", map(self._requests.ask, present), seconds):
            if isinstance(reply, Description):
                told[question.client] = reply
        # not in the order of their answers, which is chance
        claims = [Claim(client, told[client].session) for client in present if client in told]
        named = given_names(claims, self._holders)
        for claim in named.refused:
            self._post.fail("ask", claim.reason, client=claim.client, session=claim.session)
        for _ in self._post.replies("notice", map(self._requests.notice, named.disputed), seconds):
            pass  # that they were told is written down where they are
        roster: dict[str, str] = {}
        for session, client in named.clients.items():
            if reason := self._requests.misfit(told[client]):
                self._post.fail("ask", reason, client=client, session=session)
            else:
                roster[session] = client
                self._watcher.done("ask", session)
        self._require_quorum(len({*roster, *_sites_of(banked)}), "clients that fit")
        return roster

    def _tune(self, roster: Mapping[str, str], banked: Mapping[str, Banked]) -> dict[str, Banked]:
        """Session to release in the bank; each goes there as it arrives, and only what the bank lacks is asked for."""
        releases = dict(banked)
        self._watcher.stage("tune", len({*roster, *banked} - {*self._intake.aside}))
        for session in banked:
            self._watcher.done("tune", session)
        missing = sorted({*roster} - {*banked} - {*self._intake.aside})
        questions = [self._requests.tune(roster[session], session) for session in missing]
        for question, reply in self._post.replies("tune", questions, self._config.campaign.tune_seconds, self._follow):
            if isinstance(reply, Release) and (taken := self._intake.take(reply)):
                releases[question.session] = taken
                self._watcher.done("tune", question.session)
        return dict(sorted(releases.items()))

    def _follow(self, question: Question, reply: Reply) -> Question | None:
        if isinstance(reply, Working):
            self._watcher.working(question.session, reply)
        return self._requests.follow_tuning(question, reply)

    def _train(self, releases: Mapping[str, Banked]) -> tuple[Mapping[str, Banked], Sequence[Cut]]:
        """All recognizers; without any release that turns out to make what is no number, and then anew."""
        while True:
            self._require_quorum(len(releases), "generators")
            require_every_emotion(releases.values(), self._config.corpus.emotions)
            planned = self._plan(tuple(releases))
            folds = [self._settled(fold, releases) for fold in planned]
            try:
                self._train_folds({fold.name: [releases[session] for session in fold.train] for fold in folds})
            except NotFinite as error:
                releases = self._intake.sifted(self._intake.unpoolable(error.source, releases))
            else:
                self._name_late(planned, folds)
                return releases, folds

    def _settled(self, fold: Cut, releases: Mapping[str, Banked]) -> Cut:
        """A fold that was given out to be scored keeps its recognizer, though more releases have come.

        A site scores one recognizer of a fold and no other, so that a new one would have no score at all. What is
        scored where it was trained is no test: that is trained anew, with all that there is.
        """
        earlier, now = self._recognizers.made_of(fold.name), {releases[one].name: one for one in fold.train}
        if not earlier or {*fold.train} & {*fold.test} or not earlier < now.keys() or not self._is_asked(fold):
            return fold
        return replace(fold, train=tuple(session for name, session in now.items() if name in earlier))

    def _name_late(self, planned: Iterable[Cut], settled: Iterable[Cut]) -> None:
        """Those that a fold stays without; when all is trained, for until then folds may be settled anew."""
        for plan, fold in zip(planned, settled, strict=True):
            reason = f"it came after fold {fold.name} was given out to be tested, whose recognizer stays without it"
            for late in (session for session in plan.train if session not in fold.train):
                self._post.fail("train", reason, client="?", session=late)

    def _is_asked(self, fold: Cut) -> bool:
        """Whether a site was asked to score this very recognizer; its answer may have been lost."""
        kept = read_counts(self._counts_file(fold.name), self._config.corpus.classes)
        return kept is not None and kept.recognizer == self._recognizers.digest(fold.name)

    def _train_on_sums(
        self, roster: Mapping[str, str], banked: Mapping[str, Banked]
    ) -> tuple[Sequence[str], Sequence[Cut]]:
        """A recognizer from each fold's own sum over its sites; what fails at one fold costs that fold."""
        sites = sorted({*roster, *_sites_of(banked)})
        folds = self._plan(sites)
        require_sites(folds)
        self._watcher.stage("sum", len(folds))
        summed = {fold.name: self._sum(fold, roster, banked) for fold in folds}
        pools = {name: [one] for name, one in summed.items() if one is not None}
        self._require_quorum(max((len(one.card.sites) for (one,) in pools.values()), default=0), "sites in a sum")
        for pool in pools.values():
            require_every_emotion(pool, self._config.corpus.emotions)
        self._train_folds(pools)
        return sites, [fold for fold in folds if fold.name in pools]

    def _sum(self, fold: Cut, roster: Mapping[str, str], banked: Mapping[str, Banked]) -> Banked | None:
        """The release of a fold's sum, in the bank; nothing, where too few sites stay or it is put aside."""
        session = session_of(fold.name)
        if session in self._intake.aside:
            return None
        one = banked.get(session)
        if one is None:
            try:
                one = self._intake.take(self._sums.release(fold.name, fold.train, roster))
            except UserError as error:
                self._post.fail("sum", str(error), client="?", session=session)
        if one is not None:
            self._watcher.done("sum", fold.name)
        return one

    def _train_folds(self, pools: Mapping[str, Sequence[Banked]]) -> None:
        self._watcher.stage("train", len(pools))
        self._recognizers.require_room(pools.values())
        for name in self._recognizers.train_all(pools, self._watcher.training):
            self._watcher.done("train", name)
        self._recognizers.drop_pool()

    def _score(
        self, folds: Sequence[Cut], roster: Mapping[str, str], known: Mapping[str, Sequence[bool]]
    ) -> dict[str, Kept]:
        """Fold to confusion counts; all clients are at it together, and what has come before is not asked for again."""
        self._watcher.stage("score", sum(len(fold.test) for fold in folds))
        kept = {fold.name: self._kept(fold, self._recognizers.digest(fold.name)) for fold in folds}
        questions = []
        for fold in folds:
            for session in fold.test:
                if session in kept[fold.name].counts:
                    self._watcher.done("score", session)
                elif session in roster:
                    questions.append(self._score_question(fold, session, roster[session], kept[fold.name]))
                else:
                    self._post.fail("score", "no client holds this session now", client="?", session=session)
        for question, reply in self._post.replies(
            "score", questions, self._config.campaign.score_seconds, self._requests.score_together
        ):
            if isinstance(reply, Scored):
                one = kept[reply.scoring.fold]
                one.counts[question.session] = _counts_of(reply, known.get(question.session, ()))
                one.noise[question.session] = reply.epsilon
                atomic_json(self._counts_file(reply.scoring.fold), asdict(one))
                self._watcher.done("score", question.session)
        return kept

    def _score_question(self, fold: Cut, session: str, client: str, kept: Kept) -> Question:
        """The request, noted as it is sent: from then on the site may have scored it, whatever comes back."""

        def noted() -> Mapping[str, Tensor]:
            atomic_json(self._counts_file(fold.name), asdict(kept))
            return self._recognizers.load(fold.name)

        return self._requests.score(client, session, fold, kept.recognizer, noted)

    def _kept(self, fold: Cut, digest: str) -> Kept:
        """What has come for this very recognizer; what cannot be read is asked for again."""
        kept = read_counts(self._counts_file(fold.name), self._config.corpus.classes)
        if not kept or kept.recognizer != digest:
            return Kept(digest, {}, {})
        tested = [session for session in fold.test if session in kept.counts]
        return Kept(digest, {one: kept.counts[one] for one in tested}, {one: kept.noise[one] for one in tested})

    def _counts_file(self, fold: str) -> Path:
        return self._folder / COUNTS / f"{fold}.json"

    def _conclude(self, sessions: Iterable[str], folds: Sequence[Cut], kept: Mapping[str, Kept]) -> dict[str, Any]:
        """Write down all that the campaign found: counts, never scores, which are computed where they are shown.

        Nothing in it tells one execution from another: the same seed gives the same bytes.
        """
        results = {
            "schema": SCHEMA,
            "run": self._name,
            "preset": self._config.name,
            "identity": self._config.identity_hash(),
            "labels": list(self._config.corpus.emotions),
            "sessions": list(sessions),
            "folds": [
                {
                    **asdict(fold),
                    "counts": dict(sorted(kept[fold.name].counts.items())),
                    "noise": dict(sorted(kept[fold.name].noise.items())),
                }
                for fold in folds
            ],
            "quarantined": [one.told() for one in self._intake.aside.values()],
            "failures": [asdict(failure) for failure in sorted(self._post.failures, key=str)],
        }
        atomic_json(self._folder / RESULTS, results)
        return results

    def _require_quorum(self, count: int, what: str) -> None:
        quorum = self._config.campaign.quorum
        if count < quorum:
            reasons = "; ".join([*map(str, self._intake.aside.values()), *in_few_words(self._post.failures)])
            held = any(Code.HELD.value in failure.reason for failure in self._post.failures)
            mend = "wait for the stewards of those that are held" if held else "mend those clients"
            remedy = f"{mend} and run again with --resume, or lower campaign.quorum"
            what = f"{count} {what}, fewer than the quorum of {quorum}"
            raise UserError(what, where=reasons or "nobody answered", remedy=remedy)


def _counts_of(scored: Scored, known: Sequence[bool]) -> list[list[list[int]]]:
    """The counts as they came; noise on an emotion that the site does not hold is left out, for it is nothing else.

    Where nobody knows what it holds, all of it stays.
    """
    told = [knows or scored.epsilon is None for knows in known or (True,) * len(scored.scoring.labels)]
    return [[[n * one for n in row] for row, one in zip(matrix, told, strict=True)] for matrix in scored.counts]


def _sites_of(banked: Mapping[str, Banked]) -> set[str]:
    """Whose speech is in these releases."""
    return {site for session, one in banked.items() for site in one.card.sites or (session,)}

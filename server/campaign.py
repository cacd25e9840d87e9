"""The campaign: ask, tune, pool, train, score; one short function a step.

Owns the order of steps, who is asked again, and what a resumed campaign need not repeat: generators that are in the
bank, recognizers that are trained, counts that have come. Must not know how letters travel (`server.clients`), nor any
speech.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from common.config import Config
from common.config.tree import hash_identity
from common.errors import UserError
from common.files import atomic_json
from common.seeds import derive_seed
from common.training.pretrained import Pretrained
from common.wire import (
    Ask,
    Collect,
    Description,
    Extremes,
    Precision,
    Refusal,
    Release,
    Request,
    Score,
    Scored,
    Scoring,
    Tune,
    Tuning,
    WireError,
    Working,
    decode_reply,
    encode,
    weights_digest,
)
from server.bank import Bank
from server.clients import Answer, Clients, Letter
from server.recognizers import Recognizers

SCHEMA = 1
RESULTS = "campaign.json"


@dataclass(frozen=True)
class Fold:
    """One recognizer: pooled from these sessions, scored at those."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


Plan = Callable[[Sequence[str]], tuple[Fold, ...]]


def leave_one_out(sessions: Sequence[str]) -> tuple[Fold, ...]:
    """A recognizer for each session, from all the others' generators.

    >>> leave_one_out(["a", "b", "c"])[0]
    Fold(name='a', train=('b', 'c'), test=('a',))
    """
    return tuple(Fold(out, tuple(name for name in sessions if name != out), (out,)) for out in sessions)


def everyone(sessions: Sequence[str]) -> tuple[Fold, ...]:
    """Production: one recognizer from all generators, scored wherever there is labelled speech."""
    return (Fold("everyone", tuple(sessions), tuple(sessions)),)


PLANS: dict[str, Plan] = {"leave-one-out": leave_one_out, "everyone": everyone}


@dataclass(frozen=True)
class Failure:
    """What a client did not do, and why; names and words only, for it came from a stranger."""

    client: str
    stage: str
    reason: str


class Watcher(Protocol):
    """Whoever is told how a campaign goes."""

    def stage(self, name: str, total: int) -> None:
        """A stage of so many units begins."""
        ...

    def done(self, name: str, unit: str) -> None:
        """A unit of a stage is done."""
        ...

    def working(self, client: str, working: Working) -> None:
        """A client says how far it is."""
        ...

    def failed(self, failure: Failure) -> None:
        """A client failed once; it may be asked again."""
        ...


@dataclass
class Campaign:
    """One run of the server's side.

    Args:
        name: of the run; sites see it in every request.
        folder: the run's directory; what is in it already is not asked for again.
        plan: which recognizers are trained and where they are scored.
    """

    name: str
    folder: Path
    config: Config
    base: Pretrained
    clients: Clients
    watcher: Watcher
    plan: Plan = leave_one_out
    per_speaker: bool = False
    failures: list[Failure] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bank = Bank(self.folder / "bank")
        self.scaling = Extremes(low=self.base.scaling.low, high=self.base.scaling.high)
        self.features = hash_identity(self.config.features.model_dump(mode="json"))
        self.base_weights = {
            "generator": self.base.pair.generator.state_dict(),
            "discriminator": self.base.pair.discriminator.state_dict(),
        }
        self.base_digest = weights_digest(self.base_weights)

    def run(self, expected: int) -> dict[str, Any]:
        """Every step in turn; `expected` clients are waited for, and a quorum of them is enough to go on."""
        roster = self.ask(expected)
        releases = self.tune(roster)
        folds = self.plan(sorted(releases))
        recognizers = Recognizers(self.folder, self.config, self.bank)
        self.watcher.stage("train", len(folds))
        for fold in folds:
            recognizers.train(fold.name, [releases[session] for session in fold.train], self.seed("fold", fold.name))
            self.watcher.done("train", fold.name)
        counts = {fold.name: self.score(fold, roster, recognizers) for fold in folds}
        return self.conclude(roster, folds, counts)

    def seed(self, *names: str) -> int:
        """A seed of this campaign's, the same in any order and on any machine."""
        return derive_seed(self.config.seed, *names)

    def ask(self, expected: int) -> dict[str, str]:
        """Session to client, for every client that fits: one session each, our labels, our features."""
        settings = self.config.campaign
        present = self.clients.names(expected, settings.ask_seconds)
        self.watcher.stage("ask", len(present))
        request = Ask(run=self.name)
        roster: dict[str, str] = {}
        for answer in self.clients.exchange(dict.fromkeys(present, lambda: encode(request)), settings.ask_seconds):
            reply = self._read(answer, request, "ask")
            if isinstance(reply, Description) and (reason := self._unfit(reply, roster)):
                self._fail(answer.client, "ask", reason)
            elif isinstance(reply, Description):
                roster[reply.session] = answer.client
                self.watcher.done("ask", reply.session)
        self._require_quorum(len(roster), "clients that fit")
        return dict(sorted(roster.items()))

    def _unfit(self, told: Description, roster: Mapping[str, str]) -> str:
        labels = self.config.network.emotions
        if told.labels != labels:
            return f"label order {', '.join(told.labels)} is not {', '.join(labels)}"
        if told.features != self.features:
            return f"features {told.features} are not {self.features}: set [features] alike on both sides"
        if told.session in roster:
            return f"session {told.session} is already held by client {roster[told.session]}"
        return ""

    def tune(self, roster: Mapping[str, str]) -> dict[str, str]:
        """Session to release in the bank; only sessions that it lacks are asked, each a bounded number of times."""
        tunings = {session: self.tuning(session) for session in roster}
        banked = self.bank.banked(self.name)
        have = {one.session: one.name for one in banked if tunings.get(one.session) == one.card.tuning}
        self.watcher.stage("tune", len(roster))
        for session in have:
            self.watcher.done("tune", session)
        for _ in range(self.config.campaign.attempts):
            missing = [session for session in roster if session not in have]
            for session, release in self._collect({s: tunings[s] for s in missing}, roster):
                have[session] = self.bank.add(release).name
                self.watcher.done("tune", session)
        self._require_quorum(len(have), "generators")
        return dict(sorted(have.items()))

    def tuning(self, session: str) -> Tuning:
        """What a session is asked to do, down to the seed."""
        return Tuning(
            run=self.name,
            session=session,
            seed=self.seed(session, "tune"),
            network=self.config.network,
            optimizer=self.config.optimizer,
            finetuning=self.config.finetuning,
            features=self.features,
            scaling=self.scaling,
            precision=Precision(self.config.finetuning.released_as),
            base=self.base_digest,
        )

    def _collect(self, tunings: Mapping[str, Tuning], roster: Mapping[str, str]) -> Iterator[tuple[str, Release]]:
        """One round: send the networks once, then ask until each has answered with a release or failed."""
        seconds = self.config.campaign.tune_seconds
        sessions = {roster[session]: session for session in tunings}
        requests: dict[str, Request] = {client: self._tune_request(tunings[s]) for client, s in sessions.items()}
        while requests:
            letters: dict[str, Letter] = {
                client: lambda request=request: encode(request) for client, request in requests.items()
            }
            asked, requests = requests, {}
            for answer in self.clients.exchange(letters, seconds):
                reply = self._read(answer, asked[answer.client], "tune")
                if isinstance(reply, Release):
                    yield sessions[answer.client], reply
                elif isinstance(reply, Working):
                    self.watcher.working(sessions[answer.client], reply)
                    requests[answer.client] = Collect(tuning=tunings[sessions[answer.client]])

    def _tune_request(self, tuning: Tuning) -> Tune:
        return Tune(tuning=tuning, **self.base_weights)

    def score(self, fold: Fold, roster: Mapping[str, str], recognizers: Recognizers) -> dict[str, list[Any]]:
        """Session to confusion counts of this fold's recognizer; what has come before is not asked for again."""
        path = self.folder / "counts" / f"{fold.name}.json"
        counts: dict[str, list[Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.watcher.stage("score", len(fold.test))
        for _ in range(self.config.campaign.attempts):
            requests = {
                roster[session]: self._score_request(fold, session, recognizers)
                for session in fold.test
                if session not in counts
            }
            letters: dict[str, Letter] = {
                client: lambda request=request: encode(request) for client, request in requests.items()
            }
            for answer in self.clients.exchange(letters, self.config.campaign.score_seconds) if letters else ():
                request = requests[answer.client]
                reply = self._read(answer, request, "score")
                if isinstance(reply, Scored):
                    counts[request.scoring.session] = [list(map(list, matrix)) for matrix in reply.counts]
                    atomic_json(path, counts)
        for session in counts:
            self.watcher.done("score", session)
        return counts

    def _score_request(self, fold: Fold, session: str, recognizers: Recognizers) -> Score:
        weights = recognizers.load(fold.name)
        scoring = Scoring(
            run=self.name,
            session=session,
            fold=fold.name,
            network=self.config.network,
            window_hop=self.config.recognizer.window_hop,
            features=self.features,
            scaling=self.scaling,
            per_speaker=self.per_speaker,
            recognizer=weights_digest({"recognizer": weights}),
        )
        return Score(scoring=scoring, recognizer=weights)

    def conclude(
        self, roster: Mapping[str, str], folds: Sequence[Fold], counts: Mapping[str, Mapping[str, list[Any]]]
    ) -> dict[str, Any]:
        """Write down all that the campaign found: counts, never scores, which are computed where they are shown."""
        results = {
            "schema": SCHEMA,
            "run": self.name,
            "preset": self.config.name,
            "identity": self.config.identity_hash(),
            "labels": list(self.config.network.emotions),
            "sessions": list(roster),
            "folds": [{"name": f.name, "train": f.train, "test": f.test, "counts": counts[f.name]} for f in folds],
            "failures": [vars(failure) for failure in self.failures],
        }
        atomic_json(self.folder / RESULTS, results)
        return results

    def _read(self, answer: Answer, request: Request, stage: str) -> object:
        """A checked reply, or None after writing down why there is none."""
        if answer.failure:
            return self._fail(answer.client, stage, answer.failure)
        try:
            reply = decode_reply(answer.data, request)
        except WireError as error:
            self.bank.reject(answer.data, f"client{answer.client}", error)
            return self._fail(answer.client, stage, f"its answer was turned away: {error}")
        if isinstance(reply, Refusal):
            return self._fail(
                answer.client, stage, f"refused at {reply.stage.value}: {reply.code.value} ({reply.code.meaning})"
            )
        return reply

    def _fail(self, client: str, stage: str, reason: str) -> None:
        failure = Failure(client, stage, reason)
        self.failures.append(failure)
        self.watcher.failed(failure)

    def _require_quorum(self, count: int, what: str) -> None:
        if count >= max(self.config.campaign.quorum, 1):
            return
        reasons = "; ".join(f"client {f.client} at {f.stage}: {f.reason}" for f in self.failures) or "nobody answered"
        raise UserError(
            f"{count} {what}, fewer than the quorum of {self.config.campaign.quorum}",
            where=reasons,
            remedy="mend those clients and run again with --resume, or lower campaign.quorum",
        )

"""A server that leads sums over sites: exact to the bit, whoever goes away, and blind to what one site adds."""

import random
from itertools import combinations

import numpy as np
import pytest
import torch

from common.config.loading import load_config
from common.errors import UserError
from common.features.spaces import identity_in, space_made
from common.privacy.sharing import SECRET
from common.privacy.summation import Site, from_grid, to_grid
from common.synthesizers import synthesizer
from common.version import VERSION
from common.wire import (
    REQUESTS,
    AddToSum,
    Ask,
    CloseSum,
    Code,
    Description,
    Limits,
    Masked,
    Opened,
    OpenSum,
    Refusal,
    Score,
    Scored,
    Shared,
    Stage,
    as_tensor,
    decode,
    encode,
)
from server.bank import Bank
from server.campaign import BANK, Campaign
from server.clients import Answer
from server.plans import everyone, plan_of
from server.sums import session_of

NAMES = ("A", "B", "C", "D", "E")
CONFIG = load_config("privacy", ["release.summed=true", "campaign.attempts=1", "runtime.threads=1", "seed=3"])
GAUSSIAN = synthesizer("gaussian")
CLASSES = CONFIG.corpus.classes
SIZE = GAUSSIAN.sums.size(GAUSSIAN.settings_of(CONFIG), CLASSES)
TOKEN = random.Random(0).randbytes
SECRETS = {pair: TOKEN(SECRET) for pair in combinations(NAMES, 2)}
STEPS = ("open-sum", "add-to-sum", "close-sum")


def numbers(name):
    """Of a site with some dozens of recordings, no two of whose numbers are alike."""
    stream = np.random.default_rng(ord(name))
    return np.concatenate([stream.uniform(9, 20, CLASSES), 5 * stream.normal(size=SIZE - CLASSES)])


class FakeSite:
    """Answers as an honest keeper would, from `lost` on nothing at all; what it was asked and said is kept."""

    def __init__(self, name, *, lost="", knows=(True,) * CLASSES, hidden=True):
        self.name, self.lost, self.knows, self.hidden = name, lost, knows, hidden
        self.heard, self.told, self.rounds = [], [], {}

    def answer(self, data):
        request = decode(data, REQUESTS, Limits(2**24))
        self.heard.append(request.kind)
        if self.lost == request.kind:
            return "gone"
        self.told.append(encode(self.say(request)))
        return self.told[-1]

    def say(self, request):
        match request:
            case Ask(run=run):
                space = space_made(CONFIG)
                about = {"labels": CONFIG.corpus.emotions, "features": "0" * 12, "vectors": identity_in(space, CONFIG)}
                about |= {"utterances": None, "speakers": None, "eyesoff": VERSION, "torch": "2.11.0"}
                return Description(run=run, session=self.name, **about)
            case Score(scoring=scoring):
                return Scored(scoring=scoring, epsilon=None, counts=(((1,) * CLASSES,) * CLASSES,))
        summing = request.summing
        said = self.rounds.setdefault(summing.name, {})
        if request.kind not in said:
            said[request.kind] = self.step(request, said)
        return said[request.kind]

    def step(self, request, said):
        summing = request.summing
        match request:
            case OpenSum():
                secrets = {o: SECRETS[min(o, self.name), max(o, self.name)] for o in summing.others}
                said["site"] = Site(summing.round, self.name, secrets, TOKEN)
                opening = said["site"].open()
                seals = {other: seal.hex() for other, seal in opening.seals.items()}
                return Opened(summing=summing, seals=seals, keys=opening.keys.hex())
            case AddToSum(seals=seals):
                bare = to_grid(numbers(self.name), len(summing.sites))
                masked = said["site"].mask(numbers(self.name), {o: bytes.fromhex(s) for o, s in seals.items()})
                words = as_tensor(masked if self.hidden else bare)
                return Masked(summing=summing, known=self.knows, masked={"words": words})
            case CloseSum(present=present):
                shares = said["site"].reveal(frozenset(present))
                return Shared(summing=summing, shares={one: share.hex() for one, share in shares.items()})


class Sites:
    """They are asked in turn; the server's process ends when so many answers have come."""

    def __init__(self, *sites, ends_after=0):
        self.sites, self.left = {site.name: site for site in sites}, ends_after

    def names(self, at_least, seconds):
        return tuple(self.sites)

    def exchange(self, payloads, seconds):
        while payloads:
            name = next(iter(payloads))
            given = self.sites[name].answer(payloads.pop(name)())
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            yield Answer(name, failure=given) if isinstance(given, str) else Answer(name, given)


def honest(**lost):
    return [FakeSite(name, lost=lost.get(name, "")) for name in NAMES]


def campaign(folder, sites, watcher, plan=everyone):
    return Campaign("run", folder, CONFIG, None, sites, watcher, plan)


def released(names, count=5):
    """What the sum over these sites becomes, made in the open."""
    total = sum(to_grid(numbers(name), count) for name in names)
    settings, space = GAUSSIAN.settings_of(CONFIG), space_made(CONFIG)
    weights = GAUSSIAN.sums.released(from_grid(total), settings, space, CLASSES)
    return {name: value.half() for name, value in weights.items()}


def banked(folder, fold="everyone"):
    bank = Bank(folder / BANK)
    (one,) = (one for one in bank.banked("run") if one.session == session_of(fold))
    return one, bank.load(one).released


def alike(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_release_is_that_of_the_sum_in_the_open_to_the_last_bit(tmp_path, watcher):
    results = campaign(tmp_path, Sites(*honest()), watcher).run(len(NAMES))
    one, weights = banked(tmp_path)
    assert alike(weights, released(NAMES))
    assert not alike(weights, released(NAMES[1:]))
    assert one.card.sites == tuple(results["sessions"]) == NAMES
    assert (one.card.known, one.card.utterances, results["failures"]) == ((True,) * CLASSES, None, [])
    assert results["folds"][0]["counts"].keys() == {*NAMES}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("lost", ["A", "C"])
def test_one_of_five_lost_at_any_step_costs_nothing_but_itself(tmp_path, watcher, lost, step):
    results = campaign(tmp_path, Sites(*honest(**{lost: step})), watcher).run(len(NAMES))
    there = NAMES if step == "close-sum" else tuple(name for name in NAMES if name != lost)
    one, weights = banked(tmp_path)
    assert alike(weights, released(there))
    assert one.card.sites == there
    assert [(failure["session"], failure["stage"]) for failure in results["failures"]] == [(lost, "sum")]


@pytest.mark.parametrize("step", STEPS)
def test_with_half_of_the_sites_gone_nothing_is_made_and_a_later_run_goes_on_in_the_same_round(tmp_path, watcher, step):
    sites = honest(A=step, B=step, C=step)
    with pytest.raises(UserError, match=f"2 of 5 sites are left in a sum, 3 are needed: everyone, {step}"):
        campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    assert not Bank(tmp_path / BANK).banked("run")
    for site in sites:
        site.lost = ""
    campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    assert alike(banked(tmp_path)[1], released(NAMES))


@pytest.mark.parametrize("ends_after", range(6, 21))
def test_a_server_that_is_killed_after_any_answer_goes_on_to_the_same_release(tmp_path, watcher, ends_after):
    sites = honest()
    with pytest.raises(KeyboardInterrupt):
        campaign(tmp_path, Sites(*sites, ends_after=ends_after), watcher).run(len(NAMES))
    campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    assert alike(banked(tmp_path)[1], released(NAMES))
    assert all(site.heard.count(step) <= 2 for site in sites for step in STEPS)


def test_the_server_has_at_no_point_a_number_of_one_site(tmp_path, watcher):
    """In nothing that it received, and in nothing that it wrote; a site that hides nothing is found at once."""
    sites = honest(B="close-sum")
    campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    assert not _seen(sites, tmp_path)
    bare = [FakeSite(name, hidden=name != "A") for name in NAMES]
    campaign(tmp_path / "bare", Sites(*bare), watcher).run(len(NAMES))
    assert _seen(bare, tmp_path / "bare") == {"A"}


def _seen(sites, folder):
    """Whose numbers stand somewhere, as eight bytes of fixed point or of floating point."""
    received = [data for site in sites for data in site.told]
    received += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    found = set()
    for name in NAMES:
        for own in (to_grid(numbers(name), len(NAMES)), numbers(name)):
            if any(number.tobytes() in data for number in own for data in received):
                found.add(name)
    return found


def test_each_fold_of_a_protocol_has_its_own_sum(tmp_path, watcher):
    plan = plan_of("leave-one-session-out", CONFIG)
    results = campaign(tmp_path, Sites(*honest()), watcher, plan).run(len(NAMES))
    assert [fold["name"] for fold in results["folds"]] == list(NAMES)
    for fold in results["folds"]:
        one, weights = banked(tmp_path, fold["name"])
        assert one.card.sites == tuple(fold["train"])
        assert alike(weights, released(fold["train"], 4))


def test_folds_of_fewer_than_three_sites_are_refused_before_anybody_adds(tmp_path, watcher):
    sites = honest()[:3]
    with pytest.raises(UserError, match="a sum needs 3 sites or more: fold A, B, C; ask more sites, or choose"):
        campaign(tmp_path, Sites(*sites), watcher, plan_of("leave-one-session-out", CONFIG)).run(3)
    assert all("open-sum" not in site.heard for site in sites)


def test_a_site_that_refuses_is_named_and_the_others_go_on(tmp_path, watcher):
    sites = honest()
    sites[0].step = lambda request, said: Refusal(code=Code.SUMS_FORBIDDEN, stage=Stage.ADMIT)
    results = campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    assert alike(banked(tmp_path)[1], released(NAMES[1:]))
    (failure,) = results["failures"]
    assert (failure["session"], "sums-forbidden" in failure["reason"]) == ("A", True)


def test_a_site_that_tells_fewer_shares_than_it_was_asked_for_costs_nothing_but_itself(tmp_path, watcher):
    sites = honest()
    truly = sites[0].step

    def keep_back(request, said):
        told = truly(request, said)
        return told.model_copy(update={"shares": {"A": told.shares["A"]}}) if isinstance(told, Shared) else told

    sites[0].step = keep_back
    results = campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    assert alike(banked(tmp_path)[1], released(NAMES))
    assert ["other shares than it was asked for" in one["reason"] for one in results["failures"]] == [True]


def test_shares_that_do_not_belong_together_make_no_sum(tmp_path, watcher):
    sites = honest()
    truly = sites[0].step

    def lie(request, said):
        told = truly(request, said)
        if isinstance(told, Shared):
            return told.model_copy(update={"shares": dict.fromkeys(told.shares, "01" * 66)})
        return told

    sites[0].step = lie
    with pytest.raises(UserError, match="shares do not belong together"):
        campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))


def test_an_emotion_is_known_to_a_sum_where_one_site_knows_it(tmp_path, watcher):
    sites = [FakeSite(name, knows=(True, name == "B", True, True)) for name in NAMES]
    campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    assert banked(tmp_path)[0].card.known == (True,) * CLASSES


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (["vectors.normalisation=session"], "units of public speech"),
        (["methods.synthesizer=m1"], r"m1 is not made of sums: set release\.summed to false, or choose gaussian"),
    ],
)
def test_what_cannot_be_summed_is_refused_before_anybody_is_asked(tmp_path, watcher, settings, why):
    config = load_config("privacy", ["release.summed=true", *settings])
    with pytest.raises(UserError, match=why):
        Campaign("run", tmp_path, config, None, Sites(), watcher, everyone)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"sites": []}', b'{"sites": [3]}', b'\xff{"sites": ["A"]}'])
@pytest.mark.parametrize("name", ["sites.json", "open-sum.json"])
def test_a_damaged_book_of_a_round_is_one_line_and_its_remedy_works(tmp_path, watcher, name, content):
    sites = honest(A="close-sum", B="close-sum", C="close-sum")
    with pytest.raises(UserError, match="2 of 5 sites are left"):
        campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    book = tmp_path / "sums" / "everyone" / name
    book.write_bytes(content)
    for site in sites:
        site.lost = ""
    with pytest.raises(UserError, match=rf"cannot read which sites a sum is over: .*{name}; delete it"):
        campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    book.unlink()
    campaign(tmp_path, Sites(*sites), watcher).run(len(NAMES))
    assert alike(banked(tmp_path)[1], released(NAMES))

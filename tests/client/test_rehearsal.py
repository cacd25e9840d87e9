"""A dry run says what the keeper then says, and leaves no trace."""

from datetime import UTC, datetime

import pytest

from client.history import Record
from client.keeper import Keeper
from client.ledger import Ledger
from client.peers import Peers
from client.policy import Policy
from client.recipes import recipe_of
from client.rehearsal import RUN, rehearse, tuning_of
from client.site import Site
from common.config import load_config
from common.config.showing import spell
from common.errors import UserError
from common.privacy.accountant import signal_for
from common.wire import Release, Tune, decode_reply, encode

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
PRIVATE = ["gaussian.epsilon=4.0", 'vectors.normalisation="public"']


@pytest.fixture
def site(speech, tmp_path):
    return Site(session="03+08", root=speech, state=tmp_path / "state", vectors=load_config("best").vectors)


def rehearsed(site, config=None, **rules):
    return rehearse(site, Policy(**rules), config or load_config("best"), NOW)


def test_what_is_granted_is_told_with_what_would_leave_and_nothing_is_written(site):
    found = rehearsed(site)
    assert (found.description.word, found.tuning.word) == ("", "")
    assert (found.tensors, found.known) == (3, dict.fromkeys(site.emotions, True))
    assert found.bytes > 10_000
    assert (found.again, found.base_here, found.promise) == (False, True, "")
    assert not site.state.exists()


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ({"recipes": ()}, "recipe-forbidden"),
        ({"allow": ("description",)}, "kind-forbidden"),
        ({"minimum_utterances": 7}, "too-few-utterances"),
        ({"bounds": {"rank": (0, 4)}}, "out-of-bounds"),
        ({"releases_in_all": 0}, "releases-spent"),
    ],
)
def test_what_would_be_refused_is_told_with_the_word_that_the_keeper_then_says(site, rules, word, tmp_path):
    found = rehearsed(site, **rules)
    assert found.tuning.word == word
    assert word in found.tuning.why
    policy = tmp_path / "policy.toml"
    bounds = rules.pop("bounds", {})
    lines = [f"{name} = {spell(value)}" for name, value in rules.items()]
    lines += ["[bounds]", *(f"{name} = {spell(value)}" for name, value in bounds.items())]
    policy.write_text("\n".join(lines))
    assert asked(site.model_copy(update={"policy": policy})).code.value == word


def asked(site):
    """What a keeper answers to the request that was rehearsed."""
    request = Tune(tuning=tuning_of(site, load_config("best"), None), shipped=False, base={})
    keeper = Keeper(site)
    try:
        return decode_reply(keeper.answer(encode(request), 60.0), request)
    finally:
        keeper.stop()


def test_what_is_told_to_leave_is_what_leaves_and_then_costs_nothing_more(site):
    found, release = rehearsed(site), asked(site)
    assert isinstance(release, Release)
    sizes = [release.precision_of(name).size(tuple(value.shape)) for name, value in release.released.items()]
    assert (len(sizes), sum(sizes)) == (found.tensors, found.bytes)
    assert release.card.tuning.run == RUN
    before = site.ledger.read_bytes()
    assert rehearsed(site, releases_in_all=1).again is True
    assert site.ledger.read_bytes() == before


def test_a_label_order_that_is_another_is_told(site):
    found = rehearsed(site, load_config("best", ['corpus.emotions=["sad","happy"]']))
    assert found.tuning.word == "label-order"


def test_a_private_recipe_is_weighed_against_what_was_spent(site):
    config = load_config("best", PRIVATE)
    own = site.model_copy(update={"vectors": config.vectors})
    rules = {"recipes": (recipe_of(config).digest,), "epsilon_in_all": 6.0}
    assert rehearsed(own, config, **rules).tuning.word == ""
    assert "epsilon 4" in rehearsed(own, config, **rules).promise
    facts = {"outcome": "admitted", "kind": "tune", "work": "other", "signal": signal_for(5.0, 1e-5)}
    Ledger(own.ledger).append(Record.model_validate({"time": NOW, **facts}))
    assert rehearsed(own, config, **rules).tuning.word == "privacy-spent"


def test_a_recipe_that_no_server_could_ask_for_is_a_mistake_in_words(site):
    with pytest.raises(UserError, match="makes further ones of it"):
        rehearsed(site, load_config("best", [*PRIVATE, 'methods.augmentation="sa"']))


def test_networks_that_come_with_eyesoff_need_not_be_sent(site):
    found = rehearsed(site, load_config("demo"))
    assert (found.tuning.word, found.base_here) == ("", True)
    assert found.tensors == 22


def test_of_a_sum_it_says_what_the_steward_has_to_do_and_then_what_would_leave(site):
    config = load_config("privacy", ["release.summed=true"])
    site = site.model_copy(update={"vectors": config.vectors})
    rules = {"recipes": (recipe_of(config).digest,)}
    found = rehearsed(site, config, **rules)
    assert (found.tuning.word, found.summed, found.bytes) == ("sums-forbidden", True, 0)
    assert rehearsed(site, config, **rules, allow=("sum",)).tuning.word == "no-key"
    for other in ("10+09", "11+13"):
        Peers(site.state).keep(other, bytes(32))
    found = rehearsed(site, config, **rules, allow=("description", "sum"))
    assert (found.tuning.request, found.tuning.word) == ("add to a sum for gaussian", "")
    assert (found.tensors, found.bytes) == (1, 8 * 4 * 17)
    assert not rehearsed(site, load_config("privacy"), allow=("release",)).summed

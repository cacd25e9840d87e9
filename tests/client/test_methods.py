"""A site runs the synthesizers of its own installation that its policy accepts, and lets out what their shapes say."""

import dataclasses
from itertools import count

import pytest
import torch

from client.activity import TUNINGS
from client.bases import BASES, Bases
from client.bounds import Bounds
from client.dice import Dice
from client.door import Door
from client.keeper import Keeper
from client.ledger import entries, verify
from client.tuning import Grant, TuningFolder, tune
from common.settings import ChatziagapiConfig, NetworkConfig, Section
from common.spaces import PATCHES, Patches, Vectors
from common.synthesizers import Cost, Synthesizer
from common.synthesizers.methods.chatziagapi import SYNTHESIZER as CHATZIAGAPI
from common.training.phases import Interrupted
from common.wire import (
    Ask,
    Code,
    Collect,
    Extremes,
    Limits,
    Refusal,
    Release,
    Stage,
    WireError,
    codec,
    decode,
    decode_reply,
    encode,
    messages,
    weights_digest,
)

LONG = 250.0
SMALL = NetworkConfig(width=1 / 64)
VECTORS = {"space": Vectors(set="openSMILE", size=88), "scaling": None}
EARLIER = CHATZIAGAPI.Settings(
    network=SMALL, chatziagapi=ChatziagapiConfig(code=16, batch=2, autoencoder_iterations=2, iterations=2)
)
"""Of the earlier GAN, as small and short as can be."""


class TinySettings(Section):
    """One number."""

    network: NetworkConfig = SMALL


TINY = Synthesizer(
    name="tiny",
    paper="none",
    about="Six numbers.",
    released="six numbers",
    Settings=TinySettings,
    spaces=frozenset({Patches}),
    cost=lambda settings, space, classes: Cost(1, 0),
    fit=lambda fitting, settings: {"w": torch.ones(2, 3)},
    shapes=lambda settings, space, classes: {"w": (2, 3)},
    sampler=lambda *arguments: None,
)
"""Another package's synthesizer."""


@pytest.fixture
def keeper_for(site, with_policy):
    """A keeper whose policy accepts the recipe of this request."""

    def make(request, text=""):
        recipes = "" if "recipes" in text else f'recipes = ["{request.tuning.recipe.digest}"]'
        return Keeper(with_policy(site, f"{recipes}\n{text}"))

    return make


def changed(request, **terms):
    """The same request with terms that this side could not make into one."""
    return request.model_copy(update={"tuning": request.tuning.model_copy(update=terms)})


def refused(keeper, request):
    """The word and the stage of a refusal, as whoever receives it reads it."""
    told = decode(keeper.answer(encode(request), LONG), Refusal, Limits(2**16))
    return told.code, told.stage


class TestOrders:
    """What is asked, though the policy accepts each of these recipes."""

    def test_of_a_synthesizer_that_the_site_lacks(self, keeper_for, ask_to_tune):
        there = ask_to_tune()
        shipped, named = (
            changed(there, synthesizer="vocoder"),
            changed(Collect(tuning=there.tuning), synthesizer="vocoder"),
        )
        keeper = keeper_for(shipped)
        assert refused(keeper, shipped) == (Code.UNKNOWN_METHOD, Stage.RECEIVE)
        assert refused(keeper, named) == (Code.UNKNOWN_METHOD, Stage.ADMIT)
        assert keeper.status()["tunings"] == 0

    def test_of_a_synthesizer_that_is_there_only_elsewhere(self, keeper_for, order, install, monkeypatch, said):
        install(TINY)
        request = order("tiny", TinySettings())
        keeper = keeper_for(request)
        assert isinstance(said(keeper, request, LONG), Release)
        monkeypatch.undo()
        assert refused(keeper, request) == (Code.UNKNOWN_METHOD, Stage.ADMIT)

    def test_of_a_recognizer_that_the_site_lacks(self, keeper, ask_to_score):
        lost = ask_to_score(recognizer="transformer")
        assert refused(keeper, lost) == (Code.UNKNOWN_METHOD, Stage.RECEIVE)

    def test_for_a_space_that_the_synthesizer_does_not_take(self, keeper_for, ask_to_tune, order):
        for request in (ask_to_tune(**VECTORS), order("chatziagapi", EARLIER, **VECTORS)):
            keeper = keeper_for(request, f'bases = ["{request.tuning.base}"]' if request.tuning.base else "")
            assert refused(keeper, request) == (Code.WRONG_SPACE, Stage.ADMIT)
            assert refused(keeper, Collect(tuning=request.tuning)) == (Code.WRONG_SPACE, Stage.ADMIT)
            assert keeper.status()["tunings"] == 0

    def test_for_a_space_that_the_recognizer_does_not_take(self, keeper, ask_to_score):
        assert refused(keeper, ask_to_score(**VECTORS)) == (Code.WRONG_SPACE, Stage.ADMIT)

    @pytest.mark.parametrize("terms", [{"scaling": None}, {"space": VECTORS["space"]}], ids=["patches", "vectors"])
    def test_whose_scaling_does_not_fit_its_space(self, keeper_for, order, ask_to_score, terms):
        request = order("chatziagapi", EARLIER, **terms)
        keeper = keeper_for(request)
        assert refused(keeper, request) == (Code.BAD_FIELD, Stage.ADMIT)
        assert refused(keeper, ask_to_score(**terms)) == (Code.BAD_FIELD, Stage.ADMIT)

    def test_with_the_settings_of_another_synthesizer(self, keeper_for, ask_to_tune, order):
        theirs = changed(ask_to_tune(), settings=EARLIER.model_dump(mode="json"))
        ours = changed(order("chatziagapi", EARLIER), settings=ask_to_tune().tuning.settings)
        for request in (theirs, ours):
            assert refused(keeper_for(request), request) == (Code.BAD_FIELD, Stage.RECEIVE)

    @pytest.mark.parametrize(
        ("name", "spelling"), [("code", 16.0), ("code", "16"), ("dropout", "0.2"), ("batch", True)]
    )
    def test_with_settings_spelled_otherwise_than_the_synthesizer_spells_them(self, keeper_for, order, name, spelling):
        request = order("chatziagapi", EARLIER)
        settings = request.tuning.settings
        respelled = changed(request, settings=settings | {"chatziagapi": settings["chatziagapi"] | {name: spelling}})
        assert refused(keeper_for(respelled), respelled) == (Code.BAD_FIELD, Stage.RECEIVE)

    def test_with_fewer_settings_than_the_synthesizer_has(self, keeper_for, order):
        request = order("chatziagapi", CHATZIAGAPI.Settings())
        fewer = changed(request, settings={"chatziagapi": {}})
        assert refused(keeper_for(fewer), fewer) == (Code.BAD_FIELD, Stage.RECEIVE)

    def test_from_networks_for_a_synthesizer_that_starts_from_none_and_from_none_for_one_that_needs_some(
        self, keeper_for, order, ask_to_tune
    ):
        none = Collect(tuning=ask_to_tune(weights=None).tuning)
        some = Collect(tuning=order("chatziagapi", EARLIER, weights="0" * 64).tuning)
        for request in (none, some):
            assert refused(keeper_for(request), request) == (Code.BAD_FIELD, Stage.ADMIT)

    @pytest.mark.parametrize("shipped", [False, True])
    def test_without_networks_leave_none_at_the_site(self, keeper_for, order, install, site, said, shipped):
        install(TINY)
        request = order("tiny", TinySettings()).model_copy(update={"shipped": shipped})
        assert isinstance(said(keeper_for(request), request, LONG), Release)
        assert not (site.state / BASES).exists()

    def test_under_the_default_policy_the_presets_synthesizer_alone_is_accepted(self, keeper_for, order, ask_to_tune):
        request = order("chatziagapi", EARLIER)
        keeper = keeper_for(request, f'recipes = ["{ask_to_tune().tuning.recipe.digest}"]')
        assert refused(keeper, request) == (Code.RECIPE_FORBIDDEN, Stage.ADMIT)

    @pytest.mark.parametrize("granted", [True, False])
    def test_with_a_number_that_has_no_bounds_here(self, keeper_for, order, install, said, granted, caplog):
        """As a package may tell it that is newer than the site's policy."""
        install(dataclasses.replace(TINY, numbers=lambda settings: {"width" if granted else "secrets": 1.0}))
        request = order("tiny", TinySettings())
        keeper = keeper_for(request)
        if granted:
            assert isinstance(said(keeper, request, LONG), Release)
        else:
            assert refused(keeper, request) == (Code.OUT_OF_BOUNDS, Stage.ADMIT)
            assert "secrets has no bounds here, so no value of it is granted" in caplog.text


class TestReach:
    """What holds recordings stays where they are."""

    @pytest.mark.parametrize(("reach", "stays"), [("at-the-data", True), ("anywhere", False)])
    def test_what_may_not_be_released_is_not_even_fitted(self, keeper_for, order, install, said, reach, stays):
        fitted = []

        def fit(fitting, settings):
            fitted.append(fitting.labels)
            return {"w": torch.ones(2, 3)}

        install(dataclasses.replace(TINY, reach=reach, fit=fit))
        request = order("tiny", TinySettings())
        keeper = keeper_for(request)
        if stays:
            assert refused(keeper, request) == (Code.STAYS_HERE, Stage.ADMIT)
            assert refused(keeper, Collect(tuning=request.tuning)) == (Code.STAYS_HERE, Stage.ADMIT)
        else:
            assert isinstance(said(keeper, request, LONG), Release)
        assert len(fitted) == (0 if stays else 1)

    @pytest.mark.parametrize("name", ["smote", "copying", "noise"])
    def test_what_is_made_of_recordings_is_refused_though_there_is_no_such_synthesizer(
        self, keeper_for, ask_to_tune, name
    ):
        request = changed(Collect(tuning=ask_to_tune().tuning), synthesizer=name)
        assert refused(keeper_for(request), request) == (Code.STAYS_HERE, Stage.ADMIT)

    def test_a_finished_one_is_not_handed_out_by_a_site_that_has_learnt_better(
        self, keeper_for, order, install, said, site
    ):
        install(TINY)
        request = order("tiny", TinySettings())
        assert isinstance(said(keeper_for(request), request, LONG), Release)
        install(dataclasses.replace(TINY, reach="at-the-data"))
        assert refused(keeper_for(request), Collect(tuning=request.tuning)) == (Code.STAYS_HERE, Stage.ADMIT)


class TestShapes:
    """A release is what its synthesizer says that it is, whatever its fit hands over."""

    @pytest.mark.parametrize(
        ("released", "code"),
        [
            ({"w": torch.ones(2, 3), "speech": torch.ones(16)}, Code.UNKNOWN_TENSOR),
            ({"w": torch.ones(2, 3), "speech": torch.ones(64_000)}, Code.TOO_LARGE),
            ({"speech": torch.ones(2, 3)}, Code.UNKNOWN_TENSOR),
            ({}, Code.MISSING_TENSOR),
            ({"w": torch.ones(3, 2)}, Code.WRONG_SHAPE),
            ({"w": torch.ones(6)}, Code.WRONG_SHAPE),
            ({"w": torch.ones(2, 3, 1)}, Code.WRONG_SHAPE),
            ({"w": torch.full((2, 3), 1e6)}, Code.OVERFLOW),
            ({"w": torch.full((2, 3), 1e4)}, Code.ABSURD_NORM),
        ],
        ids=["another", "a large one", "renamed", "none", "turned", "flat", "deeper", "overflow", "absurd"],
    )
    def test_what_does_not_match_them_stays_at_the_gate(self, keeper_for, order, install, site, released, code):
        install(dataclasses.replace(TINY, fit=lambda fitting, settings: released))
        request = order("tiny", TinySettings())
        keeper = keeper_for(request)
        assert refused(keeper, request) == (code, Stage.RELEASE)
        assert refused(keeper, Collect(tuning=request.tuning)) == (code, Stage.RELEASE)
        assert not [entry for entry in entries(site.ledger) if (entry.outcome, entry.kind) == ("sent", "release")]

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_what_is_no_number_is_not_kept_and_not_fitted_again_by_asking(self, keeper_for, order, install, value):
        fitted = []

        def fit(fitting, settings):
            fitted.append(fitting.seed)
            return {"w": torch.full((2, 3), value)}

        install(dataclasses.replace(TINY, fit=fit))
        request = order("tiny", TinySettings())
        keeper = keeper_for(request)
        for asked in (request, Collect(tuning=request.tuning)):
            assert refused(keeper, asked) == (Code.NOT_FINITE, Stage.TUNE)
        assert len(fitted) == 1

    def test_what_matches_them_leaves(self, keeper_for, order, install, said):
        """A control."""
        install(TINY)
        request = order("tiny", TinySettings())
        told = said(keeper_for(request), request, LONG)
        assert told.card.tuning == request.tuning
        assert torch.equal(told.released["w"].float(), torch.ones(2, 3))

    def test_a_fit_that_breaks_is_told_as_a_word(self, keeper_for, order, install, caplog):
        def fit(fitting, settings):
            raise ZeroDivisionError("patient-7")

        install(dataclasses.replace(TINY, fit=fit))
        request = order("tiny", TinySettings())
        keeper = keeper_for(request)
        answer = keeper.answer(encode(request), LONG)
        assert decode_reply(answer, request).code is Code.FAILED
        assert b"patient" not in answer
        assert "patient-7" in caplog.text


@pytest.mark.parametrize("kind", ["ask", "tune"])
def test_a_keeper_and_an_asker_of_two_versions_tell_each_other_so(keeper, ask_to_tune, monkeypatch, kind):
    request = {"ask": Ask(run="run-1"), "tune": ask_to_tune()}[kind]
    data = encode(request)
    with monkeypatch.context() as newer:
        for module in (messages, codec):
            newer.setattr(module, "PROTOCOL", "0123456789ab")
        answer = keeper.answer(data)
        told = decode(answer, Refusal, Limits(2**16))
    assert (told.code, told.stage, told.run) == (Code.PROTOCOL, Stage.RECEIVE, None)
    with pytest.raises(WireError) as caught:
        decode_reply(answer, request)
    assert caught.value.code is Code.PROTOCOL


class TestTheEarlierGan:
    """Chatziagapi's, which starts from no networks, where a policy accepts its recipe."""

    def test_is_tuned_behind_a_keeper_and_samples_elsewhere(self, keeper_for, order, said, site):
        request = order("chatziagapi", EARLIER)
        keeper = keeper_for(request)
        told = said(keeper, request, LONG)
        assert isinstance(told, Release)
        assert told.card.tuning == request.tuning
        shapes = CHATZIAGAPI.shapes(EARLIER, PATCHES, 4)
        assert {name: tuple(value.shape) for name, value in told.released.items()} == dict(shapes)
        sampler = CHATZIAGAPI.sampler(told.released, told.card.tuning.own, PATCHES, 4, torch.device("cpu"))
        made = sampler.sample(torch.arange(4), torch.Generator().manual_seed(0))
        assert made.shape == (4, *PATCHES.shape)
        assert made.isfinite().all()
        assert float(made.std()) > 0
        assert [(entry.outcome, entry.kind) for entry in entries(site.ledger)] == [
            ("admitted", "tune"),
            ("sent", "release"),
        ]
        assert verify(site.ledger).problems == ()

    def test_is_given_again_to_whoever_asks_for_the_same_and_made_anew_under_another_scaling(
        self, keeper_for, order, said, site
    ):
        keeper = keeper_for(order("chatziagapi", EARLIER))
        first, again, other = (
            said(keeper, order("chatziagapi", EARLIER, **terms), LONG)
            for terms in ({}, {"run": "run-2"}, {"scaling": Extremes(low=-18.0, high=6.0)})
        )
        assert weights_digest(first.weights()) == weights_digest(again.weights())
        assert weights_digest(first.weights()) != weights_digest(other.weights())
        assert len(list((site.state / TUNINGS).iterdir())) == 2

    @pytest.mark.parametrize("steps", [2, 4], ids=["in its first stage", "in its second"])
    def test_ends_alike_when_it_is_interrupted(self, order, site, steps):
        tuning = order("chatziagapi", EARLIER).tuning
        door, wide = Door(site), dict.fromkeys(Bounds.model_fields, (-1e12, 1e12))
        grant = Grant(Bases(site.state), Dice(b"a" * 32), Bounds(**wide), LONG)

        def tuned(folder, stop):
            tune(folder, door, site.runtime, grant, stop)
            return folder.finished()[0]

        whole, cut = TuningFolder(site.state / "whole"), TuningFolder(site.state / "cut")
        for folder in (whole, cut):
            folder.keep(tuning)
        counted = count(1)
        with pytest.raises(Interrupted):
            tuned(cut, lambda: next(counted) >= steps)
        assert not cut.is_finished
        ended, expected = tuned(cut, lambda: False), tuned(whole, lambda: False)
        assert ended.keys() == expected.keys()
        assert all(torch.equal(ended[name], expected[name]) for name in expected)

    def test_is_bounded_by_its_own_numbers(self, keeper_for, order):
        request = order("chatziagapi", EARLIER)
        keeper = keeper_for(request, "[bounds]\nlatent = [17, 1024]")
        assert refused(keeper, request) == (Code.OUT_OF_BOUNDS, Stage.ADMIT)

    @pytest.mark.parametrize("stage", ["autoencoder_iterations", "iterations"])
    @pytest.mark.parametrize("steps", [1, 3])
    def test_is_bounded_in_each_of_its_stages(self, keeper_for, order, stage, steps):
        stages = EARLIER.chatziagapi.model_copy(update={stage: steps})
        request = order("chatziagapi", EARLIER.model_copy(update={"chatziagapi": stages}))
        assert refused(keeper_for(request, "[bounds]\nsteps = [2, 2]"), request) == (Code.OUT_OF_BOUNDS, Stage.ADMIT)

    def test_tells_how_far_it_is(self, keeper_for, order, said, monkeypatch):
        monkeypatch.setattr("client.keeper.tune", lambda *arguments: None)  # as if killed before the first step
        request = order("chatziagapi", EARLIER)
        told = said(keeper_for(request), request)
        assert (told.kind, told.step) == ("working", 0)
        assert told.iterations == CHATZIAGAPI.cost(EARLIER, PATCHES, 4).steps > 0


def test_a_recognizer_is_scored_for_a_run_of_any_synthesizer(keeper_for, order, ask_to_score, said):
    """Its networks' sizes are those of the release, where both have some."""
    request = order("chatziagapi", EARLIER)
    keeper = keeper_for(request)
    assert isinstance(said(keeper, request, LONG), Release)
    settings = ask_to_score().scoring.settings
    other = ask_to_score(fold="other", settings=settings | {"network": settings["network"] | {"leak": 0.21}})
    assert said(keeper, ask_to_score()).kind == "scored"
    assert said(keeper, other).code is Code.OTHER_TERMS

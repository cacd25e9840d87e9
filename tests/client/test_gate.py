"""Nothing passes the gate that should not, each refusal has its word, and the ledger knows of all of it."""

import hashlib
import logging
from dataclasses import replace

import pytest
import torch

from client.ledger import Ledger, entries, verify
from common.errors import UserError
from common.networks import Generator
from common.wire import (
    Ask,
    Card,
    Code,
    Collect,
    Description,
    Refusal,
    Refused,
    Score,
    Scored,
    Stage,
    Working,
    decode_reply,
    encode,
)

QUOTED = "/data/patient-7.wav was recorded on a Tuesday"


def asking(tune, **changed):
    return Collect(tuning=tune.tuning.model_copy(update=changed))


def changed(tune, section, **values):
    """The request with some of its synthesizer's settings changed."""
    settings = tune.tuning.settings | {section: tune.tuning.settings[section] | values}
    return tune.model_copy(update={"tuning": tune.tuning.model_copy(update={"settings": settings})})


def describing(holdings, **told):
    facts = {"utterances": None, "speakers": None, "eyesoff": "0.1.0", "torch": "2.11.0"} | told
    return Description(
        run="run-1", session=holdings.session, labels=holdings.labels, features=holdings.features, **facts
    )


def code_of_admission(gate, request):
    try:
        gate.admit(request)
    except Refused as refused:
        return refused.code
    return None


def code_of(data, request):
    """The word with which an answer refuses, None if it is the answer asked for."""
    reply = decode_reply(data, request)
    return reply.code if isinstance(reply, Refusal) else None


@pytest.fixture
def took_part(gate_of, tune, release):
    """The site of these tests has released a generator to the run that asks."""
    gate_of().let_out(release, tune)


class TestAdmission:
    """What may be asked."""

    def test_a_modest_request_is_admitted_and_written_down(self, gate_of, took_part, tune, score, ledger):
        gate = gate_of()
        gate.admit(tune)
        gate.admit(score)
        gate.admit(Ask(run="run-1"))
        gate.admit(Collect(tuning=tune.tuning))
        assert [(entry.outcome, entry.kind) for entry in entries(ledger.path)] == [
            ("sent", "release"),
            ("admitted", "tune"),
            ("admitted", "score"),
        ]

    @pytest.mark.parametrize(
        ("policy", "code"),
        [
            ({"bases": []}, Code.BASE_FORBIDDEN),
            ({"recipes": []}, Code.RECIPE_FORBIDDEN),
            ({"bounds": {"steps": (0, 9)}}, Code.OUT_OF_BOUNDS),
            ({"bounds": {"steps": (11, 99)}}, Code.OUT_OF_BOUNDS),
            ({"bounds": {"batch": (5, 99)}}, Code.OUT_OF_BOUNDS),
            ({"bounds": {"width": (0, 1 / 128)}}, Code.OUT_OF_BOUNDS),
            ({"bounds": {"beta1": (0.6, 1)}}, Code.OUT_OF_BOUNDS),
            ({"bounds": {"scaling_low": (-15, 0)}}, Code.OUT_OF_BOUNDS),
            ({"precisions": ["fp32"]}, Code.PRECISION_FORBIDDEN),
            ({"allow": ["description"]}, Code.KIND_FORBIDDEN),
            ({"minimum_utterances": 7}, Code.TOO_FEW_UTTERANCES),
            ({"minimum_speakers": 3}, Code.TOO_FEW_SPEAKERS),
            ({"tunings_a_day": 0}, Code.TUNINGS_SPENT),
            ({"releases_in_all": 0}, Code.RELEASES_SPENT),
        ],
        ids=str,
    )
    def test_a_tuning_beyond_the_policy(self, gate_of, tune, policy, code):
        assert code_of_admission(gate_of(**policy), tune) is code

    @pytest.mark.parametrize(
        "policy",
        [
            {"bounds": {"steps": (10, 10)}},
            {"bounds": {"batch": (4, 4)}},
            {"bounds": {"width": (1 / 64, 1 / 64)}},
            {"releases_in_all": 1},
            {"precisions": ["fp16"]},
            {"allow": ["release"]},
            {"minimum_utterances": 6},
            {"minimum_speakers": 2},
            {"tunings_a_day": 1},
        ],
        ids=str,
    )
    def test_a_tuning_just_within_the_policy(self, gate_of, tune, policy):
        assert code_of_admission(gate_of(**policy), tune) is None

    @pytest.mark.parametrize(
        ("policy", "code"),
        [
            ({"bounds": {"width": (0, 1 / 128)}}, Code.OUT_OF_BOUNDS),
            ({"bounds": {"window_hop": (64, 64)}}, Code.OUT_OF_BOUNDS),
            ({"allow": ["release"]}, Code.KIND_FORBIDDEN),
            ({"minimum_test_utterances": 31}, Code.TOO_FEW_TESTS),
            ({"minimum_test_utterances": 30}, None),
            ({"scorings_a_day": 0}, Code.SCORINGS_SPENT),
            ({"scorings_in_all": 0}, Code.ALL_SCORINGS_SPENT),
            ({"scorings_in_all": 1, "scorings_a_day": 1}, None),
        ],
        ids=str,
    )
    def test_a_scoring(self, gate_of, took_part, score, policy, code):
        assert code_of_admission(gate_of(**policy), score) is code

    def test_a_recognizer_of_a_run_in_which_this_site_had_no_part_is_not_scored(self, gate_of, score):
        assert code_of_admission(gate_of(), score) is Code.NOT_IN_THAT_RUN

    @pytest.mark.parametrize("other", ["scaling", "leak"])
    def test_nor_is_one_on_other_terms_than_those_of_the_release(self, gate_of, took_part, score, other):
        settings = score.scoring.settings
        leaky = settings | {"network": settings["network"] | {"leak": 0.0}}
        terms = {"scaling": {"scaling": {"low": -42.0, "high": 8.0}}, "leak": {"settings": leaky}}[other]
        asked = type(score.scoring).model_validate(score.scoring.model_dump() | terms)
        assert code_of_admission(gate_of(), score.model_copy(update={"scoring": asked})) is Code.OTHER_TERMS

    def test_a_fold_has_one_recognizer(self, gate_of, took_part, score):
        gate = gate_of()
        another = score.scoring.model_copy(update={"weights": "0" * 64})
        elsewhere = another.model_copy(update={"fold": "everyone"})
        assert code_of_admission(gate, score) is None
        assert code_of_admission(gate, score.model_copy(update={"scoring": another})) is Code.FOLD_SCORED
        assert code_of_admission(gate, score.model_copy(update={"scoring": elsewhere})) is None
        assert code_of_admission(gate, score) is None

    def test_confusions_by_speaker_are_forbidden_unless_the_policy_grants_them(self, gate_of, took_part, score):
        asked = Score(scoring=score.scoring.model_copy(update={"per_speaker": True}), recognizer=score.recognizer)
        assert code_of_admission(gate_of(), asked) is Code.SPEAKERS_FORBIDDEN
        assert code_of_admission(gate_of(per_speaker=True), asked) is None

    @pytest.mark.parametrize(
        ("held", "code"),
        [
            ({"session": "10+09"}, Code.UNKNOWN_SESSION),
            ({"labels": ("angry", "neutral", "sad", "happy")}, Code.LABEL_ORDER),
            ({"features": "ba9876543210"}, Code.FEATURES),
            ({"utterances": (0, 0, 0, 0)}, Code.NO_SPEECH),
            ({"utterances": (9, 0, 7, 6), "speakers": (2, 0, 2, 2)}, None),
        ],
        ids=str,
    )
    def test_a_site_that_holds_something_else(self, gate_of, took_part, holdings, tune, score, held, code):
        gate = gate_of(held=replace(holdings, **held))
        assert code_of_admission(gate, tune) is code
        assert code_of_admission(gate, score) is code
        assert code_of_admission(gate, Collect(tuning=tune.tuning)) is code

    def test_a_million_steps_are_refused_in_a_collect_too(self, gate_of, tune):
        request = Collect(tuning=changed(tune, "finetuning", iterations=1_000_000).tuning)
        assert code_of_admission(gate_of(), request) is Code.RECIPE_FORBIDDEN

    def test_a_recipe_one_digit_off_is_another_recipe(self, gate_of, tune):
        rate = tune.tuning.settings["finetuning"]["generator_learning_rate"]
        nearly = changed(tune, "finetuning", generator_learning_rate=rate * (1 + 1e-9))
        assert code_of_admission(gate_of(), nearly) is Code.RECIPE_FORBIDDEN

    def test_what_is_refused_and_why_stands_in_the_sites_log(self, gate_of, tune, caplog):
        gate_of(bounds={"steps": (100, 200)}).answer(encode(tune), lambda request: pytest.fail("handled"))
        assert "out-of-bounds" in caplog.text
        assert "steps is 10, not within 100 to 200" in caplog.text

    def test_a_day_has_so_many_tunings_and_asking_again_is_free(self, gate_of, tune, clock):
        gate = gate_of(tunings_a_day=2)
        several = [changed(tune, "finetuning", iterations=steps) for steps in range(4)]
        codes = [code_of_admission(gate, several[number]) for number in (0, 1, 0, 2, 1)]
        assert codes == [None, None, None, Code.TUNINGS_SPENT, None]
        clock.wind(hours=25)
        assert code_of_admission(gate, several[3]) is None

    def test_a_life_has_so_many_releases_and_no_new_day_brings_more(self, gate_of, tune, clock):
        gate = gate_of(releases_in_all=2)
        several = [changed(tune, "finetuning", iterations=steps) for steps in range(3)]
        for one in several[:2]:
            assert code_of_admission(gate, one) is None
            clock.wind(days=30)
        assert code_of_admission(gate, several[2]) is Code.RELEASES_SPENT
        assert code_of_admission(gate, several[0]) is None

    def test_another_run_that_asks_for_the_same_costs_nothing(self, gate_of, tune):
        gate = gate_of(tunings_a_day=1, releases_in_all=1)
        later = tune.model_copy(update={"tuning": tune.tuning.model_copy(update={"run": "run-2"})})
        assert code_of_admission(gate, tune) is None
        assert code_of_admission(gate, later) is None

    def test_of_other_speech_the_same_is_another_release(self, gate_of, holdings, tune, ledger):
        gate_of(releases_in_all=1).admit(tune)
        grown = gate_of(releases_in_all=1, held=replace(holdings, speech="second"))
        assert code_of_admission(grown, tune) is Code.RELEASES_SPENT

    def test_a_restarted_keeper_remembers_the_day(self, gate_of, took_part, tune, score, ledger):
        gate_of(tunings_a_day=1).admit(tune)
        restarted = gate_of(tunings_a_day=1)
        restarted._ledger = Ledger(ledger.path)
        other = changed(tune, "finetuning", iterations=7)
        assert code_of_admission(restarted, other) is Code.TUNINGS_SPENT
        assert code_of_admission(restarted, tune) is None
        assert code_of_admission(restarted, score) is None

    def test_a_clock_set_back_gives_no_new_day(self, gate_of, tune, clock):
        gate = gate_of(tunings_a_day=1)
        gate.admit(tune)
        clock.wind(days=-3)
        other = changed(tune, "finetuning", iterations=7)
        assert code_of_admission(gate, other) is Code.TUNINGS_SPENT


class TestRelease:
    """What may leave."""

    def test_a_release_leaves_as_the_bytes_that_the_ledger_names(self, gate_of, tune, release, ledger):
        data = gate_of().let_out(release, tune)
        assert data == encode(release)
        (entry,) = entries(ledger.path)
        assert (entry.outcome, entry.kind, entry.run, entry.session) == ("sent", "release", "run-1", "03+08")
        assert (entry.bytes, entry.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert entry.words == release.words()
        assert entry.tensors["released.linears.0.weight"] == "F16[64, 132]"
        assert len(entry.tensors) == len(release.released)

    def test_scores_progress_and_descriptions_leave(self, gate_of, holdings, tune, score, scored):
        gate = gate_of()
        working = Working(run="run-1", session="03+08", stage=Stage.TUNE, step=1, iterations=10, rate=2.0)
        assert code_of(gate.let_out(scored, score), score) is None
        assert code_of(gate.let_out(working, tune), tune) is None
        ask = Ask(run="run-1")
        assert code_of(gate.let_out(describing(holdings), ask), ask) is None

    def test_an_extra_tensor_stays(self, gate_of, tune, release):
        leaky = release.model_copy(update={"released": release.released | {"speech": torch.zeros(64_000)}})
        assert code_of(gate_of().let_out(leaky, tune), tune) is Code.TOO_LARGE
        leaky = release.model_copy(update={"released": release.released | {"speech": torch.zeros(16)}})
        assert code_of(gate_of().let_out(leaky, tune), tune) is Code.UNKNOWN_TENSOR

    def test_the_discriminator_stays(self, gate_of, tune, release):
        group = "discriminator."
        discriminator = {name.removeprefix(group): value for name, value in tune.base.items() if name.startswith(group)}
        leaky = release.model_copy(update={"released": discriminator})
        assert code_of(gate_of().let_out(leaky, tune), tune) is Code.WRONG_SHAPE

    def test_the_norms_stay(self, gate_of, tune, release):
        state = Generator(tune.tuning.own.network).state_dict()
        leaky = release.model_copy(update={"released": state})
        assert code_of(gate_of().let_out(leaky, tune), tune) is Code.UNKNOWN_TENSOR

    def test_a_weight_that_is_not_a_number_stays(self, gate_of, tune, release):
        bias = torch.full_like(release.released["linears.0.bias"], float("nan"))
        broken = release.model_copy(update={"released": release.released | {"linears.0.bias": bias}})
        assert code_of(gate_of().let_out(broken, tune), tune) is Code.NOT_FINITE

    def test_a_release_that_nobody_asked_for_stays(self, gate_of, tune, release, score):
        other = changed(tune, "finetuning", iterations=7)
        assert code_of(gate_of().let_out(release, other), other) is Code.WRONG_ANSWER
        assert code_of(gate_of().let_out(release, score), score) is Code.TOO_LARGE

    @pytest.mark.parametrize(
        ("rule", "leaves"),
        [
            ("always", {"none"}),
            ("audited", {"release", "approved"}),
            ("approve", {"approved"}),
        ],
    )
    def test_a_release_leaves_only_with_a_word_that_the_policy_lets_go(self, gate_of, tune, release, rule, leaves):
        gate, told = gate_of(release=rule), {}
        for word in ("none", "release", "refuse", "cannot-tell", "approved"):
            card = release.card.model_copy(update={"audit": word})
            told[word] = code_of(gate.let_out(release.model_copy(update={"card": card}), tune), tune)
        assert {word for word, code in told.items() if code is None} == leaves
        assert {code for word, code in told.items() if word not in leaves} == {Code.HELD}

    def test_a_precision_that_the_policy_forbids_stays(self, gate_of, tune, release):
        assert code_of(gate_of(precisions=["bf16"]).let_out(release, tune), tune) is Code.PRECISION_FORBIDDEN

    def test_counts_are_told_only_where_the_policy_tells_them_and_as_they_are(self, gate_of, holdings, tune, release):
        def with_counts(counts):
            card = Card(tuning=release.card.tuning, known=(True,) * 4, utterances=counts, seconds=3)
            return release.model_copy(update={"card": card})

        ask = Ask(run="run-1")
        true, false = holdings.utterances, (1, 2, 3, 4)
        shy, open_ = gate_of(), gate_of(tell_counts=True)
        assert code_of(shy.let_out(with_counts(true), tune), tune) is Code.COUNTS_FORBIDDEN
        assert code_of(open_.let_out(with_counts(true), tune), tune) is None
        assert code_of(open_.let_out(with_counts(false), tune), tune) is Code.WRONG_ANSWER
        assert code_of(shy.let_out(describing(holdings, utterances=true), ask), ask) is Code.COUNTS_FORBIDDEN
        assert code_of(shy.let_out(describing(holdings, speakers=2), ask), ask) is Code.COUNTS_FORBIDDEN
        assert code_of(open_.let_out(describing(holdings, utterances=true, speakers=2), ask), ask) is None

    def test_a_card_tells_what_is_known_as_it_is(self, gate_of, holdings, tune, release):
        lacking = gate_of(held=replace(holdings, utterances=(9, 0, 7, 6), speakers=(2, 0, 2, 2)))
        true = release.card.model_copy(update={"known": (True, False, True, True)})
        assert code_of(lacking.let_out(release, tune), tune) is Code.WRONG_ANSWER
        assert code_of(lacking.let_out(release.model_copy(update={"card": true}), tune), tune) is None
        assert code_of(gate_of().let_out(release.model_copy(update={"card": true}), tune), tune) is Code.WRONG_ANSWER

    def test_confusions_by_speaker_stay(self, gate_of, score):
        scoring = score.scoring.model_copy(update={"per_speaker": True})
        asked = Score(scoring=scoring, recognizer=score.recognizer)
        told = Scored(scoring=scoring, epsilon=None, counts=(((1,) * 4,) * 4,) * 2)
        assert code_of(gate_of().let_out(told, asked), asked) is Code.SPEAKERS_FORBIDDEN
        assert code_of(gate_of(per_speaker=True).let_out(told, asked), asked) is None

    def test_counts_without_the_noise_that_the_policy_asks_for_stay(self, gate_of, score, scored):
        assert code_of(gate_of(scoring_epsilon=0.5).let_out(scored, score), score) is Code.WRONG_ANSWER
        noised = scored.model_copy(update={"epsilon": 0.5})
        assert code_of(gate_of(scoring_epsilon=0.5).let_out(noised, score), score) is None
        assert code_of(gate_of().let_out(noised, score), score) is Code.WRONG_ANSWER

    def test_a_description_of_another_session_stays(self, gate_of, holdings):
        ask = Ask(run="run-1")
        told = describing(replace(holdings, session="10+09"))
        assert code_of(gate_of().let_out(told, ask), ask) is Code.WRONG_ANSWER

    def test_a_day_has_so_many_bytes(self, gate_of, tune, release, clock):
        gate = gate_of(mebibytes_a_day=1)
        times = 2**20 // len(encode(release))
        codes = [code_of(gate.let_out(release, tune), tune) for _ in range(times + 1)]
        assert codes == [None] * times + [Code.BYTES_SPENT]
        clock.wind(hours=25)
        assert code_of(gate.let_out(release, tune), tune) is None

    def test_a_refusal_can_be_told_when_no_byte_is_left(self, gate_of, tune, release):
        assert code_of(gate_of(mebibytes_a_day=0).let_out(release, tune), tune) is Code.BYTES_SPENT

    def test_an_audit_can_hold_a_release_back(self, gate_of, tune, release, holdings):
        seen = []

        def audit(reply, outgoing):
            seen.append((reply, outgoing.request, outgoing.holdings))
            if len(seen) > 1:
                raise Refused(Code.AUDIT)

        gate = gate_of(audits=[audit])
        assert code_of(gate.let_out(release, tune), tune) is None
        assert seen == [(release, tune, holdings)]
        assert code_of(gate.let_out(release, tune), tune) is Code.AUDIT

    def test_an_audit_that_breaks_holds_back_as_well(self, gate_of, tune, release):
        def audit(reply, outgoing):
            raise ZeroDivisionError(QUOTED)

        data = gate_of(audits=[audit]).let_out(release, tune)
        assert code_of(data, tune) is Code.FAILED
        assert b"patient" not in data

    def test_what_was_held_back_stands_in_the_ledger_beside_the_refusal(self, gate_of, tune, release, ledger):
        data = gate_of(precisions=["bf16"]).let_out(release, tune)
        held, sent = entries(ledger.path)
        assert (held.outcome, held.kind, held.code, held.bytes) == ("refused", "release", Code.PRECISION_FORBIDDEN, 0)
        assert (sent.outcome, sent.kind, sent.sha256) == ("sent", "refusal", hashlib.sha256(data).hexdigest())
        assert verify(ledger.path).problems == ()


class TestAnswer:
    """From the bytes that come to the bytes that leave."""

    def test_a_request_is_handled_and_its_reply_let_out(self, gate_of, tune, release, ledger):
        data = gate_of().answer(encode(tune), lambda request: release)
        assert decode_reply(data, tune).card == release.card
        assert [entry.outcome for entry in entries(ledger.path)] == ["admitted", "sent"]

    @pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1", b"\x80\x04\x95"], ids=["empty", "http", "pickle"])
    def test_what_is_no_request_is_refused_without_being_handled(self, gate_of, tune, data, ledger):
        answer = gate_of().answer(data, lambda request: pytest.fail("handled"))
        reply = decode_reply(answer, tune)
        assert reply.code in (Code.TRUNCATED, Code.MALFORMED)
        assert (reply.stage, reply.run, reply.session) == (Stage.RECEIVE, None, None)
        assert [entry.outcome for entry in entries(ledger.path)] == ["refused", "sent"]

    def test_a_request_that_the_policy_refuses_is_not_handled(self, gate_of, tune):
        answer = gate_of(recipes=[]).answer(encode(tune), lambda request: pytest.fail("handled"))
        reply = decode_reply(answer, tune)
        assert (reply.code, reply.stage, reply.session) == (Code.RECIPE_FORBIDDEN, Stage.ADMIT, "03+08")

    def test_a_request_larger_than_the_policy_reads_is_refused(self, gate_of, tune):
        answer = gate_of(mebibytes_a_request=1).answer(bytes(2**20 + 1), lambda request: pytest.fail("handled"))
        assert code_of(answer, tune) is Code.TOO_LARGE

    def test_no_text_of_an_error_leaves_but_the_site_can_read_it(self, gate_of, tune, ledger, caplog):
        def handle(request):
            raise OSError(QUOTED)

        with caplog.at_level(logging.INFO):
            answer = gate_of().answer(encode(tune), handle)
        assert code_of(answer, tune) is Code.FAILED
        assert b"patient" not in answer
        assert b"patient" not in ledger.path.read_bytes()
        assert QUOTED in caplog.text

    def test_a_reason_that_has_a_word_travels_as_that_word_alone(self, gate_of, tune):
        def handle(request):
            raise Refused(Code.FAILED, where=QUOTED)

        answer = gate_of().answer(encode(tune), handle)
        assert code_of(answer, tune) is Code.FAILED
        assert b"patient" not in answer

    @pytest.mark.parametrize("junk", [None, {"waveform": [0.1]}, b"bytes", "text", 3, Ask(run="run-1")], ids=str)
    def test_what_is_no_reply_does_not_leave(self, gate_of, tune, junk):
        assert isinstance(decode_reply(gate_of().answer(encode(tune), lambda request: junk), tune), Refusal)

    def test_a_ledger_that_cannot_be_written_lets_nothing_out_at_all(self, gate_of, tune, release, ledger):
        ledger.path.parent.mkdir(parents=True)
        ledger.path.write_bytes(b"torn")
        with pytest.raises(UserError, match="torn"):
            gate_of().answer(encode(tune), lambda request: release)
        assert ledger.path.read_bytes() == b"torn"

"""Everything that could ride along with a message is refused, each by its own word."""

import json
import pickle
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.synthesizers.methods.chatziagapi import SYNTHESIZER as CHATZIAGAPI
from common.wire import (
    HEADER_LIMIT,
    PROTOCOL,
    REQUESTS,
    Ask,
    Code,
    Collect,
    Limits,
    Refusal,
    Release,
    Stage,
    Tune,
    WireError,
    codec,
    decode,
    decode_reply,
    encode,
    messages,
    shapes_of,
)

BIAS = "released.linears.0.bias"


def forge(header, payload=b""):
    """Bytes that a sender could make without `encode`."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + payload


def apart(message):
    """A message's header as plain data, its fields, and its weights' bytes."""
    data = encode(message)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["eyesoff"]), data[8 + length :]


def spelled(header, fields):
    return header | {"__metadata__": {"eyesoff": json.dumps(fields, sort_keys=True, separators=(",", ":"))}}


def code_of(data, request):
    with pytest.raises(WireError) as caught:
        decode_reply(data, request)
    return caught.value.code


def with_weights(release, **changed):
    return release.model_copy(update={"released": release.released | changed})


def test_a_message_that_these_tests_forge_passes_where_nothing_is_wrong(tune, release):
    header, fields, payload = apart(release)
    assert forge(spelled(header, fields), payload) == encode(release)


class TestTheFrame:
    """Refused before a field is read."""

    @pytest.mark.parametrize("kept", [0, 7, 20, -1])
    def test_a_message_that_was_cut(self, tune, release, kept):
        assert code_of(encode(release)[:kept], tune) is Code.TRUNCATED

    def test_bytes_behind_its_end(self, tune, release):
        assert code_of(encode(release) + b"\0", tune) is Code.TRAILING_BYTES

    def test_more_bytes_than_the_answer_may_have_are_not_even_parsed(self, score, release):
        assert code_of(encode(release), score) is Code.TOO_LARGE

    def test_a_pickle(self, tune, tmp_path):
        torch.save({"weight": torch.zeros(3)}, tmp_path / "weights.pt")
        assert code_of((tmp_path / "weights.pt").read_bytes(), tune) is Code.MALFORMED
        assert code_of(pickle.dumps({"weight": 1}), tune) is Code.MALFORMED

    @pytest.mark.parametrize(
        "header", [b"{}", b"{]", b'{"__metadata__":{}}', b'{"a":' * 3000, b'{"a":\xff}', b'{"__metadata__":3}']
    )
    def test_a_header_that_is_none(self, tune, header):
        assert code_of(forge(header), tune) is Code.MALFORMED

    def test_a_header_larger_than_64_kib(self, tune):
        assert code_of(forge(b'{"a":"' + b"x" * HEADER_LIMIT + b'"}'), tune) is Code.TOO_WORDY

    def test_a_key_that_stands_twice(self, tune, release):
        header, _, payload = apart(release)
        text = json.dumps(header, separators=(",", ":")).encode()
        twice = text[:-1] + b',"released.linears.0.bias":{}}'
        assert code_of(forge(twice, payload), tune) is Code.DUPLICATE_KEY

    def test_a_field_that_stands_twice(self, tune, release):
        header, fields, payload = apart(release)
        words = json.dumps(fields, sort_keys=True, separators=(",", ":")).replace(
            '{"card":', '{"card":"leak","card":', 1
        )
        header["__metadata__"] = {"eyesoff": words}
        assert code_of(forge(header, payload), tune) is Code.DUPLICATE_KEY

    def test_spaces_in_the_header(self, tune, release):
        header, _, payload = apart(release)
        assert code_of(forge(json.dumps(header).encode(), payload), tune) is Code.NOT_CANONICAL

    def test_spaces_in_the_words(self, tune, release):
        header, fields, payload = apart(release)
        header["__metadata__"] = {"eyesoff": json.dumps(fields, sort_keys=True)}
        assert code_of(forge(header, payload), tune) is Code.NOT_CANONICAL

    def test_tensors_in_another_order(self, tune, release):
        header, _, payload = apart(release)
        assert code_of(forge(dict(reversed(header.items())), payload), tune) is Code.NOT_CANONICAL

    def test_a_gap_between_tensors(self, tune, release):
        header, _, payload = apart(release)
        header[BIAS]["data_offsets"] = [8, 136]
        assert code_of(forge(header, payload), tune) is Code.NOT_CANONICAL

    def test_another_key_in_the_metadata(self, tune, release):
        header, _, payload = apart(release)
        header["__metadata__"]["note"] = "leak"
        assert code_of(forge(header, payload), tune) is Code.MALFORMED

    def test_another_key_beside_a_shape(self, tune, release):
        header, _, payload = apart(release)
        header[BIAS]["note"] = "leak"
        assert code_of(forge(header, payload), tune) is Code.MALFORMED


class TestTheWords:
    """Refused for what it says."""

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"protocol": 1}, Code.PROTOCOL),
            ({"protocol": None}, Code.PROTOCOL),
            ({"protocol": PROTOCOL.upper() + "0"}, Code.PROTOCOL),
            ({"protocol": "0123456789ab", "kind": "gossip", "note": "of another version"}, Code.PROTOCOL),
            ({"kind": "gossip"}, Code.UNEXPECTED_KIND),
            ({"kind": "ask"}, Code.UNEXPECTED_KIND),
            ({"kind": ["release"]}, Code.UNEXPECTED_KIND),
            ({"note": "leak"}, Code.BAD_FIELD),
            ({"card": "leak"}, Code.BAD_FIELD),
            ({"released": {}}, Code.NOT_CANONICAL),
        ],
        ids=str,
    )
    def test_fields_that_are_not_the_schema(self, tune, release, change, code):
        header, fields, payload = apart(release)
        assert code_of(forge(spelled(header, fields | change), payload), tune) is code

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"seconds": "3"}, Code.NOT_CANONICAL),
            ({"seconds": 3.0}, Code.NOT_CANONICAL),
            ({"seconds": 10**30}, Code.BAD_FIELD),
            ({"seconds": -1}, Code.BAD_FIELD),
            ({"utterances": [1, 2, 3]}, Code.BAD_FIELD),
            ({"utterances": list(range(5000))}, Code.BAD_FIELD),
            ({"utterances": [10**12, 0, 0, 0]}, Code.BAD_FIELD),
            ({"samples": [0.5]}, Code.BAD_FIELD),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_a_card_that_carries_more_than_a_card(self, tune, release, change, code):
        header, fields, payload = apart(release)
        fields["card"] |= change
        assert code_of(forge(spelled(header, fields), payload), tune) is code

    @pytest.mark.parametrize(
        "change",
        [
            {"session": "x" * 65},
            {"session": "../../etc"},
            {"session": "a\nb"},
            {"run": "a sentence about somebody"},
            {"run": "é"},
            {"base": "x"},
            {"scaling": {"low": 1.0, "high": 0.0}},
            {"scaling": {"low": -1e9, "high": 0.0}},
            {"labels": ["Robert told me", "b"]},
            {"labels": ["a"] * 2},
            {"space": {"kind": "waveforms"}},
            {"space": {"kind": "vectors", "set": "a sentence", "size": 88}},
            {"settings": {}},
            {"settings": "leak"},
            {"seed": 1},
            {"path": "/home"},
        ],
        ids=str,
    )
    def test_terms_out_of_bounds(self, tune, release, change):
        header, fields, payload = apart(release)
        fields["card"]["tuning"] |= change
        assert code_of(forge(spelled(header, fields), payload), tune) is Code.BAD_FIELD

    @pytest.mark.parametrize(
        "change",
        [{"noise": 10**9}, {"width": 2.0}, {"width": "0.015625"}, {"note": "Robert told me"}, {"leak": [0.2]}],
        ids=str,
    )
    def test_networks_that_are_none_of_ours(self, tune, release, change):
        header, fields, payload = apart(release)
        fields["card"]["tuning"]["settings"]["network"] |= change
        assert code_of(forge(spelled(header, fields), payload), tune) is Code.BAD_FIELD

    @pytest.mark.parametrize(
        "settings",
        [
            {"network": {}},
            {"network": {"width": 1 / 64}},
            {"chatziagapi": {"code": 16}},
            CHATZIAGAPI.Settings().model_dump(mode="json"),
        ],
        ids=["none told", "some told", "of another synthesizer", "all of another synthesizer"],
    )
    def test_settings_that_are_not_the_synthesizers(self, tune, release, settings):
        header, fields, payload = apart(release)
        fields["card"]["tuning"]["settings"] = settings
        assert code_of(forge(spelled(header, fields), payload), tune) is Code.BAD_FIELD

    @pytest.mark.parametrize(
        ("name", "spelling"),
        [("batch", 4.0), ("batch", "4"), ("even_start", 0), ("generator_learning_rate", "2e-6"), ("average", 0)],
    )
    def test_settings_that_are_spelled_otherwise_than_the_synthesizer_spells_them(self, tune, release, name, spelling):
        header, fields, payload = apart(release)
        own = fields["card"]["tuning"]["settings"]["finetuning"]
        assert own[name] != spelling or type(own[name]) is not type(spelling)
        own[name] = spelling
        assert code_of(forge(spelled(header, fields), payload), tune) is Code.BAD_FIELD

    def test_what_is_wrong_with_settings_is_told_in_one_line(self, tune, release):
        header, fields, payload = apart(release)
        fields["card"]["tuning"]["settings"]["network"]["noise"] = "Robert told me"
        with pytest.raises(WireError, match="noise") as caught:
            decode_reply(forge(spelled(header, fields), payload), tune)
        assert "\n" not in str(caught.value)
        assert "Robert" not in str(caught.value)

    def test_a_number_that_is_none(self, tune, release):
        header, fields, payload = apart(release)
        words = json.dumps(fields, sort_keys=True, separators=(",", ":")).replace('"seconds":3', '"seconds":NaN')
        header["__metadata__"] = {"eyesoff": words}
        assert code_of(forge(header, payload), tune) is Code.BAD_FIELD

    def test_a_release_of_another_tuning(self, tune, release):
        other = tune.tuning.model_copy(update={"run": "run-2"})
        stale = release.model_copy(update={"card": release.card.model_copy(update={"tuning": other})})
        assert code_of(encode(stale), tune) is Code.WRONG_ANSWER

    def test_a_minus_before_a_zero_is_another_tuning(self, tune, release):
        finetuning = tune.tuning.settings["finetuning"] | {"instance_noise": -0.0}
        other = tune.tuning.model_copy(update={"settings": tune.tuning.settings | {"finetuning": finetuning}})
        assert other == tune.tuning
        hidden = release.model_copy(update={"card": release.card.model_copy(update={"tuning": other})})
        assert code_of(encode(hidden), tune) is Code.WRONG_ANSWER

    def test_a_refusal_that_speaks_of_another_session(self, tune):
        here, there = (
            encode(Refusal(run="run-1", session=session, code=Code.FAILED, stage=Stage.TUNE))
            for session in ("03+08", "10+09")
        )
        assert decode_reply(here, tune).code is Code.FAILED
        assert code_of(there, tune) is Code.WRONG_ANSWER

    def test_a_refusal_with_a_sentence_for_a_word(self, tune):
        header, fields, _ = apart(Refusal(code=Code.FAILED, stage=Stage.TUNE))
        fields["code"] = "could not open /data/patient-7.wav"
        assert code_of(forge(spelled(header, fields)), tune) is Code.BAD_FIELD

    def test_a_request_where_a_reply_is_awaited(self, tune):
        assert code_of(encode(Ask(run="run-1")), tune) is Code.UNEXPECTED_KIND


class TestTheWeights:
    """Refused for what it carries."""

    def test_an_extra_tensor(self, tune, release):
        assert code_of(encode(with_weights(release, waveform=torch.zeros(8))), tune) is Code.UNKNOWN_TENSOR

    def test_a_tensor_outside_the_release(self, tune, release):
        header, _, payload = apart(release)
        header["features"] = {"dtype": "F16", "shape": [1], "data_offsets": [len(payload), len(payload) + 2]}
        renamed = {"__metadata__": header.pop("__metadata__"), **dict(sorted(header.items()))}
        offset = 0
        for entry in list(renamed.values())[1:]:
            size = entry["data_offsets"][1] - entry["data_offsets"][0]
            entry["data_offsets"] = [offset, offset + size]
            offset += size
        assert code_of(forge(renamed, payload + b"\0\0"), tune) is Code.UNKNOWN_TENSOR

    def test_a_missing_tensor(self, tune, release):
        fewer = {name: value for name, value in release.released.items() if name != "linears.0.bias"}
        assert code_of(encode(release.model_copy(update={"released": fewer})), tune) is Code.MISSING_TENSOR

    def test_a_swapped_shape(self, tune, release):
        turned = {"linears.0.weight": release.released["linears.0.weight"].t()}
        assert code_of(encode(with_weights(release, **turned)), tune) is Code.WRONG_SHAPE

    @pytest.mark.parametrize("shape", [[0], [-64], [True], [64.0], ["64"]])
    def test_a_shape_that_is_none(self, tune, release, shape):
        header, _, payload = apart(release)
        header[BIAS]["shape"] = shape
        assert code_of(forge(header, payload), tune) is Code.WRONG_SHAPE

    def test_a_number_format_that_was_not_agreed(self, tune, release):
        header, _, payload = apart(release)
        for name in release.released:
            header[f"released.{name}"]["dtype"] = "BF16"
        assert code_of(forge(header, payload), tune) is Code.WRONG_TYPE

    @pytest.mark.parametrize("label", ["I64", "U8", "F8_E4M3", ""])
    def test_a_number_format_that_no_message_uses(self, tune, release, label):
        header, _, payload = apart(release)
        header[BIAS]["dtype"] = label
        assert code_of(forge(header, payload), tune) is Code.WRONG_TYPE

    @pytest.mark.parametrize("bits", [b"\x01\x7e", b"\x00\x7c", b"\x00\xfc"], ids=["nan with a payload", "inf", "-inf"])
    def test_one_weight_that_is_not_finite(self, tune, release, bits):
        assert code_of(encode(release)[:-2] + bits, tune) is Code.NOT_FINITE

    @pytest.mark.parametrize(
        ("value", "code"), [(float("nan"), Code.NOT_FINITE), (float("inf"), Code.NOT_FINITE), (1e6, Code.OVERFLOW)]
    )
    def test_a_weight_that_cannot_be_sent_is_refused_by_the_sender(self, release, value, code):
        bias = release.released["linears.0.bias"].clone()
        bias[3] = value
        with pytest.raises(WireError) as caught:
            encode(with_weights(release, **{"linears.0.bias": bias}))
        assert caught.value.code is code

    def test_weights_larger_than_training_makes_them(self, tune, release):
        bias = torch.full_like(release.released["linears.0.bias"], 999.0)
        large, absurd = (with_weights(release, **{"linears.0.bias": bias * factor}) for factor in (1, 2))
        assert decode_reply(encode(large), tune)
        assert code_of(encode(absurd), tune) is Code.ABSURD_NORM

    def test_a_base_that_is_not_the_one_it_is_called(self, tune):
        turned = {name: -value for name, value in tune.base.items()}
        with pytest.raises(WireError) as caught:
            decode(encode(tune.model_copy(update={"base": turned})), REQUESTS, Limits(2**24))
        assert caught.value.code is Code.WRONG_DIGEST

    def test_every_refusal_names_the_tensor_for_the_person_on_this_side(self, tune, release):
        with pytest.raises(WireError, match=r"not-finite .*: released\.linears\.1\.weight"):
            decode_reply(encode(release)[:-2] + b"\x00\x7c", tune)


JUNK = (None, True, -0.0, 1.0, -1, 10**400, "", "x" * 100, "\ud800", "\0", [], [[]], {}, {"\ud800": 1}, ["a", "b"])


def places(tree, path=()):
    """The path of every value in a tree of plain data."""
    members = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in members:
        yield (*path, key)
        yield from places(value, (*path, key))


def put(tree, path, value):
    """The tree with another value at one place."""
    changed = json.loads(json.dumps(tree))
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


@given(data=st.data())
def test_whatever_stands_in_a_field_is_refused_or_is_the_time_it_took(tune, release, data):
    header, fields, payload = apart(release)
    place, junk = data.draw(st.sampled_from(list(places(fields)))), data.draw(st.sampled_from(JUNK))
    answer = forge(spelled(header, put(fields, place, junk)), payload)
    try:
        back = decode_reply(answer, tune)
    except WireError:
        return
    assert answer == encode(release) or back.card.seconds != release.card.seconds


@given(data=st.data())
def test_whatever_stands_in_the_header_is_refused(tune, release, data):
    header, _, payload = apart(release)
    place, junk = data.draw(st.sampled_from(list(places(header)))), data.draw(st.sampled_from(JUNK))
    with pytest.raises(WireError):
        decode_reply(forge(put(header, place, junk), payload), tune)


def named(message, name):
    """The message of a side that has a method of this name."""
    terms, field = (message.tuning, "tuning") if isinstance(message, Tune) else (message.scoring, "scoring")
    method = "synthesizer" if field == "tuning" else "recognizer"
    return message.model_copy(update={field: terms.model_copy(update={method: name})})


@pytest.mark.parametrize("request_of", ["tune", "score"])
def test_a_method_that_is_not_installed_here(request_of, request):
    message = named(request.getfixturevalue(request_of), "vocoder")
    with pytest.raises(WireError, match="vocoder") as caught:
        decode(encode(message), REQUESTS, Limits(2**24))
    assert caught.value.code is Code.UNKNOWN_METHOD


def test_settings_of_a_method_that_is_not_installed_here_are_any(tune):
    other = named(tune, "vocoder").tuning.model_copy(update={"settings": {"of": ["its", "own"]}})
    assert decode(encode(Collect(tuning=other)), REQUESTS, Limits(2**24)).tuning == other


def test_two_versions_of_the_protocol_tell_each_other_so(tune, monkeypatch):
    """Whichever side is the newer one: neither reads further than the version."""
    ours, refusal = encode(tune), encode(Refusal(code=Code.PROTOCOL, stage=Stage.RECEIVE))
    for module in (messages, codec):
        monkeypatch.setattr(module, "PROTOCOL", "0123456789ab")
    theirs = encode(tune)
    for read in (lambda: decode(ours, REQUESTS, Limits(2**24)), lambda: decode_reply(refusal, tune)):
        with pytest.raises(WireError, match=f"theirs is '{PROTOCOL}', ours 0123456789ab") as caught:
            read()
        assert caught.value.code is Code.PROTOCOL
    monkeypatch.undo()
    with pytest.raises(WireError, match=f"theirs is '0123456789ab', ours {PROTOCOL}") as caught:
        decode(theirs, REQUESTS, Limits(2**24))
    assert caught.value.code is Code.PROTOCOL


def test_an_answer_is_its_release_and_at_most_64_kib(tune, release):
    weights = sum(value.numel() * 2 for value in release.released.values())
    assert 0 < len(encode(release)) - weights <= HEADER_LIMIT


def test_limits_are_what_the_caller_says(release):
    data = encode(release)
    assert decode(data, Release, Limits(len(data), shapes_of))
    with pytest.raises(WireError) as caught:
        decode(data, Release, Limits(len(data) - 1, shapes_of))
    assert caught.value.code is Code.TOO_LARGE

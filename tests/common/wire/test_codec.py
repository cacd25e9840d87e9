"""What the wire writes, it reads back."""

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from common.networks import Generator
from common.wire import (
    REQUESTS,
    Ask,
    Code,
    Collect,
    Limits,
    Precision,
    Refusal,
    Release,
    Stage,
    WireError,
    Working,
    check_weights,
    decode,
    decode_reply,
    encode,
    parts,
)

ROOM = Limits(2**24)
TINY = Limits(2**16, shapes=lambda _: {"released.w": (2, 3)})
FLOATS = arrays.arrays("float32", (2, 3), elements=st.floats(-TINY.largest, TINY.largest, width=32))
KINDS = [precision for precision in Precision if precision.dtype.is_floating_point]
EDGES = [998.0, 999.9, TINY.largest, -998.0, -999.9, -TINY.largest]


def tiny(release, weight, precision):
    tuning = release.card.tuning.model_copy(update={"precision": precision})
    return Release(card=release.card.model_copy(update={"tuning": tuning}), released={"w": weight})


def same(weights, others):
    return weights.keys() == others.keys() and all(torch.equal(weights[name], others[name]) for name in weights)


def test_a_tuning_comes_back_bit_for_bit(tune):
    back = decode(encode(tune), REQUESTS, ROOM)
    assert back.tuning == tune.tuning
    assert same(back.base, tune.base)


def test_a_release_loads_into_a_generator(tune, release):
    back = decode_reply(encode(release), tune)
    network = Generator(tune.tuning.own.network, normalized=False)
    network.load_state_dict(back.released)
    assert torch.equal(network.state_dict()["linears.0.weight"], release.released["linears.0.weight"].half().float())


def test_scores_come_back(score, scored):
    assert decode_reply(encode(scored), score).counts == scored.counts
    assert same(decode(encode(score), REQUESTS, ROOM).recognizer, score.recognizer)


@pytest.mark.parametrize(
    "message",
    [
        Ask(run="r"),
        Refusal(code=Code.FAILED, stage=Stage.TUNE),
        Working(run="r", session="s", stage=Stage.TUNE, step=3, iterations=10, rate=1.25),
    ],
    ids=lambda message: message.kind,
)
def test_messages_without_weights_come_back_equal(message):
    assert decode(encode(message), type(message), ROOM) == message


def test_a_collected_release_answers_as_well(tune, release):
    assert decode_reply(encode(release), Collect(tuning=tune.tuning)).card == release.card


def test_what_was_decoded_is_encoded_to_the_same_bytes(tune, release):
    data = encode(release)
    assert encode(decode_reply(data, tune)) == data
    assert b"".join(parts(release)) == data


def test_decoded_weights_share_the_memory_of_the_message(tune, release):
    data = bytearray(encode(release))
    weight = decode_reply(data, tune).released["linears.0.weight"]
    assert weight.any()
    data[:] = bytes(len(data))
    assert not weight.any()


def test_any_safetensors_reader_reads_a_release(release):
    loaded = safetensors.torch.load(encode(release))
    assert loaded.keys() == {f"released.{name}" for name in release.released}
    assert torch.equal(loaded["released.linears.0.weight"], release.released["linears.0.weight"].half())


@given(array=FLOATS)
def test_fp32_is_exact_whatever_the_weights(release, array):
    back = decode(encode(tiny(release, torch.from_numpy(array.copy()), Precision.FP32)), Release, TINY)
    assert back.released["w"].numpy().tobytes() == array.tobytes()


def assert_rounds_once_and_then_stays(release, weight, precision):
    check_weights(tiny(release, weight, precision), TINY)
    data = encode(tiny(release, weight, precision))
    back = decode(data, Release, TINY)
    assert torch.equal(back.released["w"], weight.to(precision.dtype))
    assert encode(back) == data


@given(array=FLOATS, precision=st.sampled_from(KINDS))
def test_what_is_admitted_is_admitted_rounded_and_then_stays(release, array, precision):
    assert_rounds_once_and_then_stays(release, torch.from_numpy(array.copy()), precision)


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize("edge", EDGES)
def test_the_limit_holds_to_its_very_edge(release, edge, precision):
    assert_rounds_once_and_then_stays(release, torch.full((2, 3), edge), precision)


@pytest.mark.parametrize("precision", KINDS)
def test_every_precision_spells_the_limit_and_refuses_its_next_weight(release, precision):
    limit = torch.tensor(TINY.largest, dtype=precision.dtype)
    assert limit.item() == TINY.largest
    over = torch.nextafter(limit, torch.tensor(torch.inf, dtype=precision.dtype))
    with pytest.raises(WireError) as caught:
        decode(encode(tiny(release, over.expand(2, 3), precision)), Release, TINY)
    assert caught.value.code is Code.ABSURD_NORM


@given(data=st.binary(max_size=300))
def test_random_bytes_are_refused_by_name(data):
    with pytest.raises(WireError):
        decode(data, Release, TINY)


@given(place=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_a_flipped_bit_is_refused_or_is_another_value_of_a_field(release, place, mask):
    data = bytearray(encode(tiny(release, torch.ones(2, 3), Precision.FP32)))
    data[place % (len(data) - 24)] ^= mask
    try:
        back = decode(bytes(data), Release, TINY)
    except WireError:
        return
    assert back.card != release.card
    assert encode(back) == bytes(data)

"""The terms of a sum: every mask hangs on all that is summed, and what travels has one size and spelling."""

import numpy as np
import pytest
from pydantic import ValidationError

from client.recipes import recipe_of
from common.config.loading import load_config
from common.features.spaces import identity_in, space_made
from common.wire import (
    AddToSum,
    CloseSum,
    Code,
    Limits,
    Masked,
    Opened,
    OpenSum,
    Shared,
    Summing,
    Tuning,
    WireError,
    as_tensor,
    as_words,
    decode,
    decode_reply,
    encode,
    is_answer,
    largest_reply,
)

SITES = ("a", "b", "c", "d")
SEAL, SHARE = "0a" * 164, "0b" * 66


def summing(site="a", settings=(), **changed):
    config = load_config("privacy", ["release.summed=true", *settings])
    space = space_made(config)
    about = {"run": "run-1", "session": site, "labels": config.corpus.emotions, "weights": None, "scaling": None}
    about |= {"features": identity_in(space, config)}
    tuning = Tuning.model_validate(recipe_of(config).model_dump() | about)
    return Summing(**({"tuning": tuning, "name": "everyone", "sites": SITES} | changed))


SUMMING = summing()


def masked(**changed):
    words = as_tensor(np.arange(SUMMING.size, dtype=np.uint64))
    return Masked(**({"summing": SUMMING, "known": (True,) * 4, "masked": {"words": words}} | changed))


def test_all_sites_of_a_sum_are_in_one_round():
    assert {summing(site).digest for site in SITES} == {SUMMING.digest}
    assert SUMMING.others == ("b", "c", "d")
    assert SUMMING.round.threshold == 3


@pytest.mark.parametrize(
    "other",
    [{"name": "other"}, {"sites": SITES[:3]}, {"settings": ["gaussian.epsilon=8.0"]}, {"settings": ["seed=1"]}],
    ids=str,
)
def test_of_another_sum_it_is_another_round(other):
    same = other == {"settings": ["seed=1"]}  # a control: no site is told a seed
    assert (summing(**other).digest == SUMMING.digest) is same


def test_masked_numbers_cross_as_they_are_and_fill_what_the_server_makes_room_for():
    request = AddToSum(summing=SUMMING, seals=dict.fromkeys("bcd", SEAL))
    data = encode(masked())
    told = decode_reply(data, request)
    assert np.array_equal(as_words(told.masked["words"]), np.arange(SUMMING.size, dtype=np.uint64))
    assert len(data) <= largest_reply(request)
    short = masked(masked={"words": as_tensor(np.zeros(3, dtype=np.uint64))})
    with pytest.raises(WireError) as refused:
        decode_reply(encode(short), request)
    assert refused.value.code is Code.WRONG_SHAPE


def test_each_step_crosses_and_comes_back_the_same():
    opened = Opened(summing=SUMMING, seals=dict.fromkeys("bcd", SEAL), keys="0c" * 128)
    shared = Shared(summing=SUMMING, shares=dict.fromkeys("abc", SHARE))
    closing = CloseSum(summing=SUMMING, present=("a", "b", "c"))
    assert decode_reply(encode(opened), OpenSum(summing=SUMMING)) == opened
    assert decode_reply(encode(shared), closing) == shared
    assert decode(encode(closing), CloseSum, Limits(2**20)) == closing


def test_an_answer_of_another_round_or_to_another_step_is_none():
    assert is_answer(masked(), AddToSum(summing=SUMMING, seals={}))
    assert not is_answer(masked(), AddToSum(summing=summing(name="other"), seals={}))
    assert not is_answer(masked(), CloseSum(summing=SUMMING, present=("a", "b", "c")))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Opened(summing=SUMMING, seals=dict.fromkeys("bc", SEAL), keys="0c" * 128),
        lambda: Opened(summing=SUMMING, seals=dict.fromkeys("bcd", SEAL[2:]), keys="0c" * 128),
        lambda: Opened(summing=SUMMING, seals=dict.fromkeys("bcd", SEAL), keys="0c" * 96),
        lambda: AddToSum(summing=SUMMING, seals={"e": SEAL}),
        lambda: AddToSum(summing=SUMMING, seals={"a": SEAL}),
        lambda: CloseSum(summing=SUMMING, present=("b", "a")),
        lambda: CloseSum(summing=SUMMING, present=("a", "e")),
        lambda: Shared(summing=SUMMING, shares={"e": SHARE}),
        lambda: masked(known=(True,) * 3),
        lambda: summing(sites=tuple(f"s{number:03d}" for number in range(65))),
    ],
)
def test_what_is_not_of_this_sum_does_not_come_to_be(make):
    with pytest.raises(ValidationError):
        make()


def test_the_largest_sum_has_room_for_its_words():
    sites = ("a", *(f"{'x' * 60}.{number:02d}" for number in range(63)))
    whole = summing(sites=sites)
    request = AddToSum(summing=whole, seals=dict.fromkeys(whole.others, SEAL))
    assert decode(encode(request), AddToSum, Limits(2**20)) == request
    opened = Opened(summing=whole, seals=dict.fromkeys(whole.others, SEAL), keys="0c" * 32 * 64)
    assert decode_reply(encode(opened), OpenSum(summing=whole)) == opened

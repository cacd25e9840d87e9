"""Shares that give a secret back, and fewer that tell nothing; seals that only the right key opens."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.privacy.sharing import PRIME, SHARE, cut, derived, joined, pad, sealed, unsealed

TOKEN = random.Random(0).randbytes
SECRET = bytes(range(32))


@given(st.binary(min_size=32, max_size=32), st.integers(1, 7), st.integers(0, 6))
def test_enough_shares_give_the_secret_back_whichever_they_are(secret, threshold, more):
    holders = threshold + more
    shares = dict(enumerate(cut(secret, holders, threshold, TOKEN), start=1))
    last = dict(itertools.islice(reversed(shares.items()), threshold))
    assert joined(last) == joined(shares) == secret
    assert {len(share) for share in shares.values()} == {SHARE}


def test_fewer_shares_fit_any_secret():
    """For two of three shares and any secret, there is a third that makes them give just that."""
    shares = dict(enumerate(cut(SECRET, 3, 3, TOKEN), start=1))
    for other in (SECRET, bytes(32), TOKEN(32)):
        rest = (int.from_bytes(other) - 3 * int.from_bytes(shares[1]) + 3 * int.from_bytes(shares[2])) % PRIME
        assert joined({1: shares[1], 2: shares[2], 3: rest.to_bytes(SHARE)}) == other
    with pytest.raises(UserError, match="do not belong together"):
        joined({1: shares[1], 2: shares[2]})


def test_a_share_of_another_secret_is_noticed():
    shares, others = (dict(enumerate(cut(TOKEN(32), 5, 3, TOKEN), start=1)) for _ in range(2))
    with pytest.raises(UserError, match="do not belong together"):
        joined({1: shares[1], 2: shares[2], 3: others[3]})


def test_a_key_and_a_pad_hang_on_every_word():
    keys = {derived(SECRET, "a", "b"), derived(SECRET, "ab"), derived(SECRET, "a"), derived(bytes(32), "a", "b")}
    assert len(keys) == 4
    assert pad(SECRET, 10) == pad(SECRET, 20)[:10] != pad(bytes(32), 10)


def test_a_seal_opens_to_its_key_alone_and_not_when_it_was_changed():
    seal = sealed(SECRET, b"numbers")
    assert unsealed(SECRET, seal, "a") == b"numbers"
    assert b"numbers" not in seal
    for key, changed in ((bytes(32), seal), (SECRET, seal[:-1] + b"x"), (SECRET, b"x" + seal[1:]), (SECRET, b"")):
        with pytest.raises(UserError, match="a seal does not fit: a; it is another round's"):
            unsealed(key, changed, "a")


def test_a_secret_of_another_length_and_a_threshold_beyond_the_holders_are_refused():
    for secret, holders, threshold in ((b"short", 3, 2), (SECRET, 3, 4), (SECRET, 3, 0)):
        with pytest.raises(UserError, match="cannot be cut"):
            cut(secret, holders, threshold, TOKEN)

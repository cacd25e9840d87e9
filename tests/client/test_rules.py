"""What a policy makes of a release that is finished."""

from itertools import product

import pytest

from client.rules import LETS_GO, word_on_card


@pytest.mark.parametrize("rule", LETS_GO)
def test_a_word_on_a_card_is_one_that_the_gate_lets_go(rule):
    told = product((None, "release", "refuse", "cannot-tell"), (None, "approved", "kept-back"))
    words = {(verdict, answer): word_on_card(rule, verdict, answer) for verdict, answer in told}
    assert {word for word in words.values() if word} == set(LETS_GO[rule])
    if rule != "always":
        assert {words[verdict, "kept-back"] for verdict, _ in words} == {None}
        assert {words[verdict, "approved"] for verdict, _ in words} == {"approved"}
        assert words["refuse", None] is words["cannot-tell", None] is words[None, None] is None

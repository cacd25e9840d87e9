"""Syllables are random, pronounceable and as many as were asked for."""

from hypothesis import given
from hypothesis import strategies as st

from common.corpora.voice.phones import ONSETS, VOWELS, syllables
from common.seeds import numpy_stream


@given(count=st.integers(1, 40), seed=st.integers(0, 1000))
def test_a_string_has_its_length_and_a_vowel_in_every_syllable(count, seed):
    string = syllables(count, numpy_stream(seed, "string"))
    assert len(string) == count
    for syllable in string:
        assert syllable.phones[syllable.nucleus] in VOWELS
        assert syllable.phones[: syllable.nucleus] in ((), *ONSETS)


def test_every_complete_word_has_one_stress():
    string = syllables(200, numpy_stream("words"))
    ends = [number for number, syllable in enumerate(string) if syllable.ends_word]
    starts = [0, *(end + 1 for end in ends)]
    assert all(
        sum(syllable.stressed for syllable in string[start : end + 1]) == 1
        for start, end in zip(starts, ends, strict=False)
    )


def test_all_vowels_and_all_kinds_of_consonants_occur():
    phones = [phone for syllable in syllables(500, numpy_stream("all")) for phone in syllable.phones]
    assert set(VOWELS) <= set(phones)
    assert any(phone.hiss and not phone.voice for phone in phones)
    assert any(phone.voice and not phone.hiss and phone not in VOWELS for phone in phones)
    assert any(not (phone.voice or phone.hiss or phone.breath) for phone in phones)  # the closure of a stop

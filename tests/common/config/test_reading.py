"""Mistakes in a file are told in words that need no manual of a library."""

import pytest

from common.config import load_config
from common.config.reading import PATTERNS
from common.errors import UserErrors
from common.settings import CorpusConfig, RuntimeConfig


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("finetuning.iterations=many", "must be a whole number (given: 'many')"),
        ("finetuning.iterations=1.5", "must be a whole number (given: 1.5)"),
        ("finetuning.iterations=-1", "must be 0 or more (given: -1)"),
        ("network.width=0", "must be above 0 (given: 0)"),
        ("network.width=wide", "must be a number (given: 'wide')"),
        ("network.width=nan", "must be a number (given: nan)"),
        ("network.width=2", "must be 1 or less (given: 2)"),
        ("finetuning.average=1", "must be below 1 (given: 1)"),
        ("release.eight_bit=maybe", "must be true or false (given: 'maybe')"),
        ("corpus.name=3", 'must be text, in quotes: "so" (given: 3)'),
        ("compare.modes=real", 'must be a list, such as ["one", "two"] (given: \'real\')'),
        ('corpus.emotions=["sad"]', "must be 2 or more, and there are 1 (given: ['sad'])"),
        ("finetuning.released_as=fp8", "must be 'fp16', 'bf16' or 'fp32' (given: 'fp8')"),
        ("runtime.device=tpu", "must be auto, cpu, cuda, or cuda:N (given: 'tpu')"),
        ("corpus.skew=-1", "must be 'none', or must be above 0 (given: -1)"),
        ("gaussian.delta=2", "must be 0.0001 or less (given: 2)"),
    ],
)
def test_a_mistake_is_told_in_plain_words(override: str, told: str) -> None:
    with pytest.raises(UserErrors) as caught:
        load_config("demo", [override])
    assert caught.value.problems == (f"{override.partition('=')[0]}: {told}",)


@pytest.mark.parametrize("override", ['corpus.emotions=["Sad", "angry"]', 'corpus.options=["anger"]'])
def test_what_a_text_must_be_is_told_without_its_pattern(override: str) -> None:
    with pytest.raises(UserErrors) as caught:
        load_config("demo", [override])
    (problem,) = caught.value.problems
    assert "pattern" not in problem
    assert "must be small letters" in problem or "must be key=value" in problem


def test_every_pattern_that_has_words_is_one_of_a_setting() -> None:
    told = str([kind.model_json_schema() for kind in (CorpusConfig, RuntimeConfig)])
    assert all(repr(pattern)[1:-1] in told for pattern in PATTERNS)

"""What a configuration names is here, or told with its place."""

import pytest

from common.config import PRESETS, load_config
from common.config.judging import unknown_names


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_names_what_there_is(preset: str) -> None:
    assert unknown_names(load_config(preset)) == []


@pytest.mark.parametrize(
    ("corpus", "options", "told"),
    [
        ("table", ["wut=angrry"], "corpus.options: wut=angrry: no such emotion; there are neutral, angry"),
        ("builtin", ["wut=angrry"], "corpus.options: wut: no such option"),
        ("iemocap", ["dialogs=all-of-them"], "corpus.options: dialogs=all-of-them: choose from"),
        ("table", ["a=b", "b=sad"], "corpus.options: a=b: b is mapped itself"),
        ("joint", ["emodb=EMO-DB"], "corpus.options: a joint corpus is made of two or more"),
    ],
)
def test_an_option_that_a_corpus_has_not_is_told(corpus: str, options: list[str], told: str) -> None:
    config = load_config("demo", [f"corpus.name={corpus}", f"corpus.options={options}"])
    (problem,) = unknown_names(config)
    assert problem.startswith(told)


@pytest.mark.parametrize(
    ("corpus", "options"),
    [
        ("table", ["wut=angry"]),
        ("emodb", ["bored=neutral"]),
        ("joint", ["emodb=EMO-DB", "ravdess=RAVDESS"]),
        ("librispeech", ["subset=dev-clean"]),
    ],
)
def test_an_option_that_a_corpus_has_is_fine(corpus: str, options: list[str]) -> None:
    assert unknown_names(load_config("demo", [f"corpus.name={corpus}", f"corpus.options={options}"])) == []


@pytest.mark.parametrize(
    ("corpus", "options", "told"),
    [
        ("emodb", [], ["corpus.emotions: the corpus emodb has no emotion: calm; it knows "]),
        ("emodb", ["bored=calm"], []),
        ("table", [], []),
        ("joint", ["emodb=A", "ravdess=B"], []),
        ("joint", ["emodb=A", "cremad=B"], ["corpus.emotions: the corpus joint has no emotion: calm; it knows "]),
    ],
)
def test_an_emotion_that_a_corpus_cannot_have_is_told(corpus: str, options: list[str], told: list[str]) -> None:
    wanted = f"corpus.options={options}", 'corpus.emotions=["sad", "calm"]'
    problems = unknown_names(load_config("demo", [f"corpus.name={corpus}", *wanted]))
    assert [problem.startswith(line) for problem, line in zip(problems, told, strict=True)] == [True] * len(told)


def test_a_set_of_features_that_is_not_installed_is_no_mistake_of_the_file() -> None:
    assert unknown_names(load_config("best", ["vectors.set=opensmile:eGeMAPSv02"])) == []

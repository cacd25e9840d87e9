"""A keeper scores a recognizer of a run in which its site took part, once, and tells the same again."""

import shutil

import pytest

from client.keeper import Keeper
from common.wire import Code, Release, Scored, Stage, encode

LONG = 250.0


class TestScoring:
    """Counts and nothing else."""

    @pytest.fixture(autouse=True)
    def took_part(self, keeper, said, ask_to_tune):
        """A recognizer is scored only for a run in which the site took part."""
        assert isinstance(said(keeper, ask_to_tune(), LONG), Release)

    def test_confusion_counts_are_told(self, keeper, said, ask_to_score):
        told = said(keeper, ask_to_score())
        assert isinstance(told, Scored)
        assert [sum(row) for row in told.counts[0]] == [6, 6, 6, 6]

    def test_confusions_by_speaker_are_told_only_where_the_policy_grants_them(
        self, keeper, site, said, ask_to_score, with_policy
    ):
        request = ask_to_score(per_speaker=True)
        assert said(keeper, request).code is Code.SPEAKERS_FORBIDDEN
        assert len(said(Keeper(with_policy(site, "per_speaker = true")), request).counts) == 2


class TestScoringOnce:
    """Each recognizer of a fold once, whatever has become of the speech; nothing without a release."""

    def test_a_site_that_released_nothing_to_a_run_scores_nothing_of_it(self, keeper, said, ask_to_score, ask_to_tune):
        assert said(keeper, ask_to_score()).code is Code.NOT_IN_THAT_RUN
        said(keeper, ask_to_tune(run="run-2"), LONG)
        assert said(keeper, ask_to_score()).code is Code.NOT_IN_THAT_RUN
        assert isinstance(said(keeper, ask_to_score(run="run-2")), Scored)

    def test_an_answer_is_given_again_though_the_speech_has_changed(
        self, speech, site, said, ask_to_tune, ask_to_score, tmp_path
    ):
        own = site.model_copy(update={"root": shutil.copytree(speech, tmp_path / "speech")})
        keeper = Keeper(own)
        said(keeper, ask_to_tune(), LONG)
        first = said(keeper, ask_to_score())
        rows = (own.root / "recordings.csv").read_text().splitlines()
        (own.root / "recordings.csv").write_text("\n".join(rows[:-1]))
        changed = Keeper(own)
        assert sum(changed._door.manifest.counts) == 23
        assert encode(said(changed, ask_to_score())) == encode(first)
        assert sum(map(sum, said(changed, ask_to_score(fold="everyone")).counts[0])) == 23  # a control

    def test_counts_are_told_with_the_noise_that_the_policy_asks_for(
        self, site, said, ask_to_tune, ask_to_score, with_policy
    ):
        keeper = Keeper(with_policy(site, "scoring_epsilon = 0.5"))
        said(keeper, ask_to_tune(), LONG)
        told = said(keeper, ask_to_score())
        assert told.epsilon == 0.5
        assert [sum(row) for row in told.counts[0]] != [6, 6, 6, 6]
        assert encode(said(Keeper(with_policy(site, "scoring_epsilon = 0.5")), ask_to_score())) == encode(told)

    @pytest.mark.parametrize(("first", "then"), [("0.5", '"exact"'), ('"exact"', "0.5")])
    def test_under_another_noise_what_was_given_is_not_given_under_a_wrong_name(
        self, site, said, ask_to_tune, ask_to_score, with_policy, first, then
    ):
        keeper = Keeper(with_policy(site, f"scoring_epsilon = {first}"))
        said(keeper, ask_to_tune(), LONG)
        assert isinstance(said(keeper, ask_to_score()), Scored)
        told = said(Keeper(with_policy(site, f"scoring_epsilon = {then}")), ask_to_score())
        assert (told.code, told.stage) == (Code.WRONG_ANSWER, Stage.RELEASE)

    def test_one_that_takes_too_long_is_told_by_name(
        self, site, said, ask_to_tune, ask_to_score, with_policy, monkeypatch
    ):
        keeper = Keeper(with_policy(site))
        said(keeper, ask_to_tune(), LONG)
        monkeypatch.setattr(Keeper, "_seconds", -1.0)
        told = said(keeper, ask_to_score())
        assert (told.code, told.stage) == (Code.TOO_LONG, Stage.SCORE)

    def test_few_recordings_to_test_on_are_not_scored(self, keeper, site, said, ask_to_tune, ask_to_score, with_policy):
        said(keeper, ask_to_tune(), LONG)
        few = Keeper(with_policy(site, "minimum_test_utterances = 25"))
        assert said(few, ask_to_score()).code is Code.TOO_FEW_TESTS
        assert isinstance(said(Keeper(with_policy(site, "minimum_test_utterances = 24")), ask_to_score()), Scored)

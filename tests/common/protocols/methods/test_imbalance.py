"""Most of one class is gone from the training part, and nothing else."""

from dataclasses import replace

import pytest

from common.errors import UserError
from common.protocols.drawing import counts
from common.protocols.methods.imbalance import PROTOCOL, ImbalanceConfig, Settings


def cut(corpus, seed=0, **own):
    return PROTOCOL.trials(corpus, Settings(imbalance=ImbalanceConfig(**own)), seed)


def test_four_fifths_of_one_emotion_are_gone_and_the_others_are_whole(corpus_of):
    for trial in cut(corpus_of(3, each=(5, 5, 10))):
        whole = {"neutral": 20, "angry": 20, "sad": 40}
        assert counts(trial.train) == whole | {trial.watched: round(0.2 * whole[trial.watched])}
        assert counts(trial.test) == {"neutral": 10, "angry": 10, "sad": 20}
        assert trial.fitted == trial.train


def test_each_emotion_but_neutral_is_removed_three_times_in_each_fold(corpus_of):
    trials = cut(corpus_of(3))
    assert {(trial.arm, trial.repeat) for trial in trials} == {(e, n) for e in ("angry", "sad") for n in (1, 2, 3)}
    assert len(trials) == 2 * 3 * 3
    assert {trial.arm for trial in cut(corpus_of(3), spared=())} == {"neutral", "angry", "sad"}


def test_samples_fill_the_class_up_to_the_largest(corpus_of):
    for trial in cut(corpus_of(3, each=(5, 5, 10))):
        filled = {label: count + trial.filling.samples[label] for label, count in counts(trial.train).items()}
        assert trial.filling.real
        assert {*filled.values()} == {max(counts(trial.train).values())}


def test_a_session_loses_the_same_utterances_whatever_fold_it_is_trained_in(corpus_of):
    first, second, third = (trial.train for trial in cut(corpus_of(3), draws=1)[:3])
    for one, other, session in ((first, second, "2"), (second, third, "0"), (first, third, "1")):
        left = [{u.path for u in part.utterances if u.session == session} for part in (one, other)]
        assert left[0] == left[1]


def test_another_draw_and_another_seed_remove_others(corpus_of):
    one_fold = [trial.train for trial in cut(corpus_of(3)) if (trial.name, trial.arm) == ("0", "angry")]
    first, second, _ = one_fold
    assert first != second
    assert counts(first) == counts(second)
    assert cut(corpus_of(3), seed=1)[0].train != cut(corpus_of(3))[0].train


def test_a_removal_that_leaves_nothing_is_told_with_its_remedy(corpus_of):
    assert cut(corpus_of(3, each=(4, 1, 4)), removed=0.6)[0].train
    with pytest.raises(UserError, match=r"fold 0: removing 90% of angry leaves no utterance of angry \(4 before\)"):
        cut(corpus_of(3, each=(4, 1, 4)), removed=0.9)


def test_where_every_emotion_is_spared_there_is_nothing_to_make_rare(corpus_of):
    with pytest.raises(UserError, match="every emotion is spared: neutral, angry, sad; leave one"):
        cut(corpus_of(3), spared=("neutral", "angry", "sad"))


def test_an_emotion_that_is_spared_by_a_mistyped_name_is_told_and_the_usual_one_may_lack(corpus_of):
    with pytest.raises(UserError, match=r"spared that does not count: nutral; .* may name neutral, angry, sad"):
        cut(corpus_of(3), spared=("nutral",))
    without = corpus_of(3).where(lambda utterance: utterance.emotion != "neutral")
    assert {trial.arm for trial in cut(replace(without, labels=("angry", "sad")))} == {"angry", "sad"}

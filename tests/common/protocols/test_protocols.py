"""Every protocol of the registry keeps the same promises."""

import pickle

import pytest

from common.errors import UserError
from common.protocols import PROTOCOLS, protocol

every = pytest.mark.parametrize("one", list(PROTOCOLS), ids=lambda one: one.name)


@every
def test_no_speaker_is_tested_who_was_trained_on(one, corpus_for):
    corpus = corpus_for(one)
    trials = one.trials(corpus, one.Settings(), 0)
    assert trials
    for trial in trials:
        assert not {*trial.train.speakers, *trial.fitted.speakers} & {*trial.test.speakers}


@every
def test_titles_are_unlike_each_other(one, corpus_for):
    titles = [trial.title for trial in one.trials(corpus_for(one), one.Settings(), 0)]
    assert len({*titles}) == len(titles)


@every
def test_the_same_corpus_and_seed_give_the_same_trials(one, corpus_for):
    first, again = (one.trials(corpus_for(one), one.Settings(), 5) for _ in range(2))
    assert first == again


@every
def test_nothing_is_in_a_trial_that_is_not_in_the_corpus(one, corpus_for):
    corpus = corpus_for(one)
    for trial in one.trials(corpus, one.Settings(), 0):
        for part in (trial.train, trial.fitted, trial.test):
            assert {*part.utterances} <= {*corpus.utterances}
            assert part.labels == corpus.labels


@every
def test_it_says_whether_samples_lie_beside_real_speech_in_every_trial(one, corpus_for):
    fillings = [trial.filling for trial in one.trials(corpus_for(one), one.Settings(), 0)]
    assert one.beside == all(filling is not None and filling.real for filling in fillings)


@pytest.mark.parametrize("one", [one for one in PROTOCOLS if one.cuts], ids=lambda one: one.name)
def test_cuts_by_name_are_those_of_the_speech(one, corpus_for):
    corpus = corpus_for(one)
    trials = one.trials(corpus, one.Settings(), 0)
    cuts = one.cuts(corpus.sessions, one.Settings())
    assert [(cut.name, cut.train, cut.test) for cut in cuts] == [
        (trial.name, trial.train.sessions, trial.test.sessions) for trial in trials
    ]


@every
def test_it_travels_between_processes_by_its_name(one):
    assert pickle.loads(pickle.dumps(one)) is one  # noqa: S301


def test_one_that_nobody_knows_is_told_with_those_that_there_are():
    with pytest.raises(UserError, match=r"no such protocol: jackknife; there are .*leave-one-session-out"):
        protocol("jackknife")

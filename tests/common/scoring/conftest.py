"""A world in which the truth is known: speakers of differing difficulty, trainings of differing luck."""

import numpy as np
import pytest

from common.scoring import Confusion, Outcome

LABELS = ("neutral", "angry", "sad", "happy")
UTTERANCES = (11, 10, 6, 7)


def answers(stream, skill):
    """The confusion of one speaker whose emotions are recognized with probability `skill`."""
    skill = float(np.clip(skill, 0.2, 0.98))
    chances = np.full((4, 4), (1 - skill) / 3)
    np.fill_diagonal(chances, skill)
    return Confusion(LABELS, np.stack([stream.multinomial(n, row) for n, row in zip(UTTERANCES, chances, strict=True)]))


@pytest.fixture
def speakers():
    """Draws speakers, each with an ease of its own."""

    def draw(stream, count, skill=0.7, spread=0.1):
        return [answers(stream, skill + spread * stream.normal()) for _ in range(count)]

    return draw


@pytest.fixture
def outcome():
    """Draws what a mode of some skill scores: five folds of two speakers, whose ease `world` fixes across modes."""

    def draw(skill, *, mode=0, world=0, seeds=3, luck=0.04):
        ease = np.random.default_rng([world, 0]).normal(0, 0.08, size=(5, 2))
        stream = np.random.default_rng([world, 1, mode])
        training = luck * stream.normal(size=(seeds, 5))
        return Outcome.of(
            {
                (seed, f"session{fold}", f"speaker{fold}{place}"): answers(
                    stream, skill + ease[fold, place] + training[seed, fold]
                )
                for seed in range(seeds)
                for fold in range(5)
                for place in range(2)
            }
        )

    return draw

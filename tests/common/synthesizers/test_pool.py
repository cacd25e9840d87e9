"""The pool gives exactly what it says, from one generator at a time, and names a file that it cannot read."""

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.config import SamplingConfig
from common.errors import UserError
from common.spaces import PATCHES
from common.synthesizers import pool
from common.synthesizers.pool import KeptPool, Source, given_numbers, sample_bytes, shares, turns

CLASSES = 4


class FakeSampler:
    """Draws flat patches that tell who drew them and of which class; counts those that are alive together."""

    alive = most_alive = 0

    def __init__(self, colour):
        self.colour = colour
        FakeSampler.alive += 1
        FakeSampler.most_alive = max(FakeSampler.most_alive, FakeSampler.alive)

    def __del__(self):
        FakeSampler.alive -= 1

    def sample(self, wanted, stream, latent_scale=1.0):
        noise = torch.rand(len(wanted), 1, 1, 1, generator=stream)
        tone = 10.0 * self.colour + wanted[:, None, None, None] + 0.5 * latent_scale * noise
        return tone.expand(-1, 1, 128, 128)


@pytest.fixture(scope="module")
def _earlier_tests():
    """What they left is not looked through again before each test."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def opened(_earlier_tests):
    """The names of the sources in the order in which they were opened; samplers that an error still holds are gone."""
    gc.collect()
    FakeSampler.alive = FakeSampler.most_alive = 0
    return []


@pytest.fixture
def sources_of(opened):
    def make(count, seed=0):
        def source(number):
            def open_():
                opened.append(number)
                return FakeSampler(number)

            return Source(f"s{number}", 100 * seed + number, open_)

        return [source(number) for number in range(count)]

    return make


@pytest.fixture
def kept(tmp_path, sources_of):
    """A pool of ten an emotion from three sources."""
    return KeptPool.draw(tmp_path / "pool", sources_of(3), SamplingConfig(per_emotion=10), PATCHES, CLASSES, seed=1)


def whole(kept):
    return kept.take(np.arange(len(kept)))


def owners_and_classes(batch):
    tones = batch.values[:, 0, 0, 0]
    return (tones // 10).long(), (tones % 10).long()


def test_a_pool_may_give_fewer_of_each_emotion_and_of_none_more_than_it_has(kept):
    fewer = kept.giving((3, 0, *[10] * (CLASSES - 2)))
    classes = owners_and_classes(whole(fewer))[1]
    assert torch.bincount(classes, minlength=CLASSES).tolist() == [3, 0, *[10] * (CLASSES - 2)]
    everything = {float(one) for one in whole(kept).values[:, 0, 0, 0]}
    assert {float(one) for one in whole(fewer).values[:, 0, 0, 0]} <= everything


@given(per_emotion=st.integers(1, 10**6), sources=st.integers(1, 500))
def test_shares_are_exact_and_as_even_as_can_be(per_emotion, sources):
    given_ = shares(per_emotion, sources)
    assert (len(given_), sum(given_)) == (sources, per_emotion)
    assert max(given_) - min(given_) <= 1
    assert list(given_) == sorted(given_, reverse=True)


def test_nobody_to_draw_from_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no generator to draw from"):
        KeptPool.draw(tmp_path, [], SamplingConfig(), PATCHES, CLASSES, seed=1)


masks = st.lists(st.lists(st.booleans(), min_size=CLASSES, max_size=CLASSES), min_size=1, max_size=6)


@given(known=masks, per_emotion=st.integers(1, 40))
def test_an_emotion_comes_from_those_that_know_it_and_from_nobody_else_in_the_number_that_is_asked_for(
    known, per_emotion
):
    numbers = given_numbers([tuple(one) for one in known], per_emotion, CLASSES)
    for emotion in range(CLASSES):
        column = [row[emotion] for row in numbers]
        knowing = [row[emotion] for row, source in zip(numbers, known, strict=True) if source[emotion]]
        assert sum(column) == sum(knowing) == (per_emotion if knowing else 0)
        assert not knowing or max(knowing) - min(knowing) <= 1


@given(numbers=st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_emotions_take_turns_until_each_has_had_its_number(numbers):
    labels = turns(tuple(numbers))
    assert np.bincount(labels, minlength=len(numbers)).tolist() == numbers
    assert turns((3,) * 4).tolist() == list(range(4)) * 3


class TestKnown:
    """Sources that do not know every emotion."""

    KNOWN = ((True, True, False, False), (), (True, False, True, False))

    @pytest.fixture
    def partly(self, sources_of):
        pairs = zip(sources_of(3), self.KNOWN, strict=True)
        return [replace(source, known=known) for source, known in pairs]

    def test_each_emotion_has_its_number_from_who_knows_it(self, tmp_path, partly):
        kept = KeptPool.draw(tmp_path, partly, SamplingConfig(per_emotion=10), PATCHES, CLASSES, seed=1)
        batch = whole(kept)
        owners, classes = owners_and_classes(batch)
        assert torch.equal(classes, batch.labels)
        by_source = [torch.bincount(classes[owners == owner], minlength=CLASSES).tolist() for owner in range(3)]
        assert by_source == [[4, 5, 0, 0], [3, 5, 5, 10], [3, 0, 5, 0]]

    def test_every_sample_is_another_and_each_is_served_once(self, tmp_path, partly):
        kept = KeptPool.draw(tmp_path, partly, SamplingConfig(per_emotion=10), PATCHES, CLASSES, seed=1)
        assert len(whole(kept).values[:, 0, 0, 0].unique()) > 0.9 * len(kept)
        shuffled = np.random.default_rng(0).permutation(len(kept))
        assert torch.equal(kept.take(shuffled).values, whole(kept).values[shuffled])
        assert torch.equal(kept.take(shuffled).labels, whole(kept).labels[shuffled])

    def test_who_says_that_it_knows_everything_gives_what_it_gives_unasked(self, tmp_path, sources_of):
        sampling, all_ = SamplingConfig(per_emotion=10), (True,) * CLASSES
        unasked = KeptPool.draw(tmp_path, sources_of(3), sampling, PATCHES, CLASSES, seed=1)
        said = [replace(source, known=all_) for source in sources_of(3)]
        told = KeptPool.draw(tmp_path, said, sampling, PATCHES, CLASSES, seed=1)
        assert told == unasked
        assert torch.equal(whole(told).labels, torch.arange(CLASSES).repeat(10))

    def test_an_emotion_that_nobody_here_knows_is_left_out(self, tmp_path, partly):
        kept = KeptPool.draw(tmp_path, partly[::2], SamplingConfig(per_emotion=10), PATCHES, CLASSES, seed=1)
        assert torch.bincount(whole(kept).labels, minlength=CLASSES).tolist() == [10, 10, 10, 0]


class TestKept:
    """Samples drawn once."""

    @pytest.mark.parametrize(("per_emotion", "sources"), [(10, 3), (1, 1), (2, 5), (100, 1)])
    def test_each_emotion_has_exactly_as_many_samples_as_were_asked_for(
        self, tmp_path, sources_of, per_emotion, sources
    ):
        sampling = SamplingConfig(per_emotion=per_emotion)
        kept = KeptPool.draw(tmp_path, sources_of(sources), sampling, PATCHES, CLASSES, seed=1)
        batch = whole(kept)
        assert len(kept) == CLASSES * per_emotion
        assert torch.bincount(batch.labels).tolist() == [per_emotion] * CLASSES
        owners, classes = owners_and_classes(batch)
        assert torch.equal(classes, batch.labels)
        given_ = [CLASSES * share for share in shares(per_emotion, sources)]
        assert torch.bincount(owners, minlength=sources).tolist() == given_

    def test_any_step_has_one_batch_in_whatever_order_steps_are_asked_for(self, kept):
        forward = [kept.batch(step, 5, "train") for step in range(4)]
        backward = [kept.batch(step, 5, "train") for step in reversed(range(4))][::-1]
        for one, other in zip(forward, backward, strict=True):
            assert torch.equal(one.values, other.values)
            assert torch.equal(one.labels, other.labels)
        assert not torch.equal(forward[0].values, forward[1].values)
        assert not torch.equal(forward[0].values, kept.batch(0, 5, "another").values)

    def test_every_sample_is_drawn_from_evenly(self, kept):
        batch = kept.batch(0, 800, "train")
        owners, _ = owners_and_classes(batch)
        assert torch.bincount(batch.labels) / 800 == pytest.approx([0.25] * 4, abs=0.06)
        assert torch.bincount(owners) / 800 == pytest.approx([0.4, 0.3, 0.3], abs=0.06)

    def test_a_source_drawn_for_one_fold_serves_another(self, tmp_path, sources_of, opened):
        first, second, third, fourth = sources_of(4)
        sampling = SamplingConfig(per_emotion=6)
        one = KeptPool.draw(tmp_path, [first, second, third], sampling, PATCHES, CLASSES, seed=1)
        assert opened == [0, 1, 2]
        other = KeptPool.draw(tmp_path, [second, third, fourth], sampling, PATCHES, CLASSES, seed=1)
        assert opened == [0, 1, 2, 3]
        assert one.files[1:] == other.files[:2]

    @pytest.mark.parametrize("changed", [{"per_emotion": 12}, {"latent_scale": 1.5}])
    def test_samples_drawn_otherwise_serve_nobody_else(self, tmp_path, sources_of, opened, changed):
        sampling = SamplingConfig(per_emotion=6)
        KeptPool.draw(tmp_path, sources_of(1), sampling, PATCHES, CLASSES, seed=1)
        KeptPool.draw(tmp_path, sources_of(1), sampling.model_copy(update=changed), PATCHES, CLASSES, seed=1)
        KeptPool.draw(tmp_path, sources_of(1, seed=2), sampling, PATCHES, CLASSES, seed=1)
        assert opened == [0, 0, 0]

    def test_the_widened_latents_reach_the_generator(self, tmp_path, sources_of):
        wide = SamplingConfig(per_emotion=50, latent_scale=1.9)
        tones = [
            whole(KeptPool.draw(tmp_path, sources_of(1), sampling, PATCHES, CLASSES, seed=1)).values[:, 0, 0, 0] % 1
            for sampling in (SamplingConfig(per_emotion=50), wide)
        ]
        assert tones[0].max() < 0.55 < tones[1].max()

    def test_one_generator_is_in_memory_at_a_time(self, tmp_path, sources_of, opened):
        KeptPool.draw(tmp_path, sources_of(6), SamplingConfig(per_emotion=6), PATCHES, CLASSES, seed=1)
        assert (len(opened), FakeSampler.most_alive, FakeSampler.alive) == (6, 1, 0)

    def test_chunks_do_not_show(self, tmp_path, sources_of, monkeypatch):
        monkeypatch.setattr(pool, "CHUNK", 8)
        many = KeptPool.draw(tmp_path, sources_of(1), SamplingConfig(per_emotion=7), PATCHES, CLASSES, seed=1)
        few = KeptPool.draw(tmp_path, sources_of(1), SamplingConfig(per_emotion=5), PATCHES, CLASSES, seed=1)
        assert torch.equal(whole(many).values[: 4 * 4], whole(few).values[: 4 * 4])


class TestDamage:
    """What befalls a file of the pool."""

    @pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:-1], lambda data: b""])
    def test_a_cut_file_is_named(self, kept, damage):
        file = kept.files[0]
        file.write_bytes(damage(file.read_bytes()))
        with pytest.raises(UserError, match="cannot read the pool") as caught:
            whole(kept)
        assert str(file) in str(caught.value)

    def test_a_missing_file_is_named(self, kept):
        kept.files[0].unlink()
        with pytest.raises(UserError, match=str(kept.files[0])):
            whole(kept)

    def test_a_cut_file_is_drawn_again_by_the_next_run(self, tmp_path, kept, sources_of, opened):
        before = whole(kept).values
        kept.files[1].write_bytes(b"\0" * 100)
        again = KeptPool.draw(
            tmp_path / "pool", sources_of(3), SamplingConfig(per_emotion=10), PATCHES, CLASSES, seed=1
        )
        assert opened == [0, 1, 2, 1]
        assert torch.equal(whole(again).values, before)

    def test_a_full_disk_leaves_no_half_file_and_what_was_whole_stays(
        self, tmp_path, sources_of, opened, disk_with_room_for
    ):
        sampling = SamplingConfig(per_emotion=3)
        KeptPool.draw(tmp_path, sources_of(3)[:1], SamplingConfig(per_emotion=1), PATCHES, CLASSES, seed=1)
        with disk_with_room_for(2 * sample_bytes(PATCHES)), pytest.raises(UserError, match="cannot write") as caught:
            KeptPool.draw(tmp_path, sources_of(3), sampling, PATCHES, CLASSES, seed=1)
        assert "s1-" in str(caught.value)
        opened.clear()
        KeptPool.draw(tmp_path, sources_of(3), sampling, PATCHES, CLASSES, seed=1)
        assert opened == [1, 2]
        assert len(list(tmp_path.iterdir())) == 3

"""A bank made smaller is a bank: drawn from, exported and checked as any other, with the networks that it needs."""

import zipfile

import pytest
import torch

from common.config import load_config
from common.errors import UserError
from common.release import ReleaseConfig
from common.seeds import torch_stream
from common.settings import FeatureConfig, hash_identity
from common.training import distillation
from common.weights import SCALES
from common.wire import Precision, Release, encode, released_weights
from server import bases, shrinking
from server.bank import Bank
from server.export import export
from server.generators import open_generator
from server.opening import opened_bank
from server.requests import Requests
from server.samplers import sampler_in
from server.shrinking import shrink, smaller
from simulations.training_set import draw_set

WANTED = torch.arange(4)


@pytest.fixture
def bank(tmp_path, release, tune):
    """Of one whole release, with the networks that it began with."""
    tuning = release.card.tuning.model_copy(update={"features": hash_identity(FeatureConfig().model_dump(mode="json"))})
    made = Bank(tmp_path / "bank")
    card = release.card.model_copy(update={"tuning": tuning, "audit": "approved"})
    made.add(Release(card=card, released=release.released))
    made.keep_base(tune.base)
    return made


@pytest.fixture
def small(bank, tmp_path):
    shrink(bank, tmp_path / "small", 4, None)
    return Bank(tmp_path / "small")


def samples(bank):
    (one,) = bank.banked()
    return sampler_in(bank, one).sample(WANTED, torch_stream("samples"))


def content(bank):
    return {path.name: path.read_bytes() for path in bank.folder.iterdir()}


@pytest.mark.parametrize(("rank", "still"), [(2, False), (4, True), ("full", False)])
def test_what_is_cut_again_was_not_distilled_to_its_new_rank(tune, rank, still):
    distilled = tune.tuning.model_copy(update={"rank": 4, "precision": Precision.FP16, "distilled": True})
    assert smaller(distilled, rank, distil=False).distilled is still


@pytest.mark.parametrize(("rank", "distils"), [(2, True), ("full", False)])
def test_what_a_rank_keeps_is_distilled_where_that_is_asked_for(tune, rank, distils):
    assert smaller(tune.tuning, rank, distil=True).distilled is distils
    assert not smaller(tune.tuning, rank, distil=False).distilled


def test_a_distilled_bank_is_nearer_to_the_whole_one_and_is_not_distilled_twice(bank, tune, tmp_path, monkeypatch):
    monkeypatch.setattr(distillation, "STEPS", 60)
    release, far = bank.load(bank.banked()[0]), Bank(tmp_path / "far")
    moved = {
        name: value + 0.3 * torch.randn(value.shape, generator=torch_stream(name))
        for name, value in release.released.items()
    }
    far.add(release.model_copy(update={"released": moved}))
    far.keep_base(tune.base)
    cut, distilled = Bank(tmp_path / "cut"), Bank(tmp_path / "distilled")
    shrink(far, cut.folder, 2, None)
    shrink(far, distilled.folder, 2, None, distil=True)
    off = [float((samples(one) - samples(far)).square().mean()) for one in (cut, distilled)]
    assert off[1] < 0.95 * off[0]
    assert distilled.banked()[0].bytes < cut.banked()[0].bytes + 50  # the card says what was done
    monkeypatch.setattr(distillation, "play", None)
    shrink(distilled, tmp_path / "again", 2, None, distil=True)
    assert Bank(tmp_path / "again").banked()[0].card.tuning.distilled


def test_where_memory_is_short_nothing_is_distilled_and_a_plain_cut_still_is(bank, tmp_path, monkeypatch):
    monkeypatch.setattr("common.networks.memory.available_memory", lambda device: 1000)
    with pytest.raises(UserError, match="distilling a release needs"):
        shrink(bank, tmp_path / "small", 4, None, distil=True)
    shrink(bank, tmp_path / "small", 4, None)


@pytest.fixture
def two(bank):
    """A bank of two sessions' releases."""
    (one,) = bank.banked()
    other = bank.load(one)
    elsewhere = other.card.tuning.model_copy(update={"session": "another"})
    bank.add(other.model_copy(update={"card": other.card.model_copy(update={"tuning": elsewhere})}))
    return bank


@pytest.fixture
def cuts(two, tmp_path, monkeypatch):
    """A number for each cut so far, of a shrinking that was killed at the second."""
    cut, made = shrinking.released_weights, []

    def killed_at_the_second(*args):
        made.append(1)
        if len(made) == 2:
            raise KeyboardInterrupt
        return cut(*args)

    monkeypatch.setattr(shrinking, "released_weights", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        shrink(two, tmp_path / "small", 4, None)
    return made


def test_after_a_kill_it_goes_on_with_the_next_release_and_makes_the_same(two, cuts, tmp_path):
    assert not (tmp_path / "small").exists()
    shrink(two, tmp_path / "small", 4, None)
    assert len(cuts) == 3, "the first was not cut again"
    shrink(two, tmp_path / "at once", 4, None)
    assert weights_in(tmp_path / "small") == weights_in(tmp_path / "at once")


def test_what_was_cut_before_a_kill_and_is_in_the_bank_no_longer_is_not_taken_along(two, cuts, tmp_path):
    """A site's release was removed, and its next one came."""
    first = two.banked()[0]
    again = two.load(first)
    two.remove(first.name)
    two.add(again.model_copy(update={"released": {name: 2 * value for name, value in again.released.items()}}))
    shrink(two, tmp_path / "small", 4, None)
    assert {one.cut_from for one in Bank(tmp_path / "small").banked()} == {one.name for one in two.banked()}


@pytest.fixture
def unfinished(bank, tmp_path, monkeypatch):
    """The parts of a bank that was all but finished when it was killed."""
    with monkeypatch.context() as patch:
        patch.setattr(shrinking, "copied", None)
        with pytest.raises(TypeError):
            shrink(bank, tmp_path / "small", 4, None)
    return Bank(tmp_path / ".small.unfinished" / "bank")


def test_what_a_kill_left_of_another_rank_is_not_thrown_away(bank, unfinished, tmp_path):
    with pytest.raises(UserError, match=r"a bank of another form is unfinished here: .*\.small\.unfinished; give"):
        shrink(bank, tmp_path / "small", 2, None)
    assert len(unfinished.banked()) == 1


@pytest.mark.parametrize("damage", ["cut weights", "no weights", "cut card", "cut base", "a torn write"])
def test_what_a_kill_left_damaged_is_made_again(bank, unfinished, tmp_path, damage):
    card, weights = unfinished.files(unfinished.banked()[0])
    (base,) = unfinished.folder.glob(f"*{bases.SUFFIX}")
    if damage == "no weights":
        weights.unlink()
    elif damage == "a torn write":
        (unfinished.folder / f".{weights.name}.0").write_bytes(b"half")
    else:
        path = {"cut weights": weights, "cut card": card, "cut base": base}[damage]
        path.write_bytes(path.read_bytes()[:-20])
    shrink(bank, tmp_path / "at once", 4, None)
    shrink(bank, tmp_path / "small", 4, None)
    assert Bank(tmp_path / "small").verify() == ()
    assert weights_in(tmp_path / "small") == weights_in(tmp_path / "at once")
    assert not unfinished.folder.parent.exists()


def test_two_at_a_time_do_not_make_one_bank(bank, tmp_path, monkeypatch):
    cut, said = shrinking.released_weights, []

    def meanwhile(*args):
        with pytest.raises(UserError, match="another process makes"):
            shrink(bank, tmp_path / "small", 4, None)
        said.append(1)
        return cut(*args)

    monkeypatch.setattr(shrinking, "released_weights", meanwhile)
    shrink(bank, tmp_path / "small", 4, None)
    assert said == [1]


def test_a_bank_that_is_there_is_not_written_over(bank, tmp_path):
    shrink(bank, tmp_path / "small", 4, None)
    before = content(Bank(tmp_path / "small"))
    with pytest.raises(UserError, match="exists already"):
        shrink(bank, tmp_path / "small", 2, None)
    assert content(Bank(tmp_path / "small")) == before


def test_the_parts_of_a_call_that_was_killed_at_its_very_end_go(bank, tmp_path, monkeypatch):
    copied = shrinking.copied

    def killed_afterwards(*args):
        copied(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shrinking, "copied", killed_afterwards)
        shrink(bank, tmp_path / "small", 4, None)
    assert (tmp_path / ".small.unfinished").exists()
    with pytest.raises(UserError, match="exists already"):
        shrink(bank, tmp_path / "small", 2, None)
    assert not (tmp_path / ".small.unfinished").exists()
    assert len(Bank(tmp_path / "small").verify()) == 0


def weights_in(folder):
    bank = Bank(folder)
    return [bank.files(one)[1].read_bytes() for one in bank.banked()]


def test_each_release_is_cut_and_keeps_its_papers(bank, small):
    (before,), (after,) = bank.banked(), small.banked()
    assert after.bytes < before.bytes / 3
    assert (after.card.tuning.rank, after.card.tuning.precision) == (4, Precision.INT8)
    assert (after.cut_from, before.cut_from) == (before.name, "")
    assert (after.run, after.session, after.card.known) == (before.run, before.session, before.card.known)
    assert after.card.audit == "approved"
    assert small.verify() == ()


def test_the_old_bank_stays_as_it_is_and_the_same_comes_of_it_again(bank, small, tmp_path):
    before = content(bank)
    shrink(bank, tmp_path / "again", 4, None)
    assert content(bank) == before
    assert weights_in(small.folder) == weights_in(tmp_path / "again")


def test_all_directions_in_8_bits_make_nearly_the_same_samples_and_one_does_not(bank, tmp_path):
    def off(rank):
        shrink(bank, tmp_path / f"{rank}", rank, None)
        return float((samples(Bank(tmp_path / f"{rank}")) - samples(bank)).abs().mean())

    assert off("full") < off(1) / 3


def test_everything_that_draws_reads_it(small):
    assert draw_set(small, 2).values.shape == (8, 128, 128)
    opened = open_generator(small.files(small.banked()[0])[1])
    assert torch.equal(opened.sampler.sample(WANTED, torch_stream("samples")), samples(small))


def test_the_networks_go_along_where_it_is_exported(small, tmp_path):
    export(small, tmp_path / "out")
    export(small, tmp_path / "out.zip")
    assert torch.equal(samples(Bank(tmp_path / "out")), samples(small))
    with opened_bank(tmp_path / "out.zip") as unpacked:
        assert torch.equal(samples(unpacked), samples(small))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sum(name.endswith(bases.SUFFIX) for name in archive.namelist()) == 1


def test_without_them_one_line_says_what_to_copy(small):
    (path,) = small.folder.glob(f"*{bases.SUFFIX}")
    path.unlink()
    with pytest.raises(UserError, match=f"copy {path.name} from the bank that it came from"):
        samples(small)
    assert "without the public networks" in small.verify()[0].problem


def test_networks_that_are_not_those_of_their_name_are_refused(small, tune):
    (path,) = small.folder.glob(f"*{bases.SUFFIX}")
    path.write_bytes(bases.spelled({name: value + 1 for name, value in tune.base.items()}))
    with pytest.raises(UserError, match="they are not those of their name"):
        samples(small)
    path.write_bytes(b"\x80\x04")
    with pytest.raises(UserError, match="cannot read public networks"):
        samples(small)


@pytest.mark.parametrize(("rank", "why"), [(65, "above the 64 of the largest layer"), (4, "exists already")])
def test_what_cannot_be_done_leaves_nothing_behind(bank, tmp_path, rank, why):
    target = tmp_path / "target"
    if rank == 4:
        target.mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=why):
        shrink(bank, target, rank, None)
    assert sorted(tmp_path.rglob("*")) == before


def test_networks_can_be_named_where_the_bank_lacks_them(release, tmp_path, pretrained_folder, tune):
    alone = Bank(tmp_path / "alone")
    alone.add(release)
    with pytest.raises(UserError, match="without the public networks"):
        shrink(alone, tmp_path / "small", 4, None)
    with pytest.raises(UserError, match="no release began with these networks"):
        shrink(alone, tmp_path / "small", 4, pretrained_folder)  # others


class TestCampaign:
    """A campaign that asks for small releases."""

    FORM = ReleaseConfig(rank=2, eight_bit=True)

    def small_client(self, client_of, base, session, loud=1.0):
        def answer(request, honest):
            left = released_weights(request.tuning, honest.released, base.pair.learned(), seed=1)
            left[SCALES] = (loud * left[SCALES].float()).clamp(max=900).half()
            return encode(honest.model_copy(update={"released": left}))

        return client_of(session, {"tune": [answer]})

    def test_what_no_network_is_is_put_aside_whichever_checks_are_made(self, campaign_of, clients_of, client_of, base):
        loud = {"A": 1.0, "B": 1.0, "C": 1e6}
        small = [self.small_client(client_of, base, session, volume) for session, volume in loud.items()]
        clients = clients_of(0, **{f"c{number}": one for number, one in enumerate(small)})
        results = campaign_of(clients, also=[("release", self.FORM)], checks=("equals",)).run(3)
        assert results["sessions"] == ["A", "B"]
        assert [one["session"] for one in results["quarantined"]] == ["C"]
        assert "absurd-norm" in results["quarantined"][0]["reason"]


def test_networks_that_no_release_began_with_are_refused(bank, pretrained_folder, tmp_path):
    with pytest.raises(UserError, match=f"no release began with these networks: {pretrained_folder}"):
        shrink(bank, tmp_path / "other", 4, pretrained_folder)
    assert not (tmp_path / "other").exists()


def test_a_synthesizer_that_cannot_be_distilled_is_refused_before_anybody_is_asked():
    config = load_config("privacy", ["release.rank=4", "release.distilled=true"])
    with pytest.raises(UserError, match=r"gaussian cannot be distilled: set release\.distilled to false"):
        Requests("run", config, None, per_speaker=False)

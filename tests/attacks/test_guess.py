"""Whoever knows a site's recordings but one must not be able to check a guess of the last, nor to ask twice."""

import shutil

import pytest
import torch

from client.dice import write_secret
from client.keeper import Keeper
from client.policy import Policy
from common.settings import EMOTIONS, FinetuningConfig, NetworkConfig
from common.training.stages import Pair
from common.wire import Code
from tests.attacks.clinic import HELD, Speech, accepting, open_bounds, said, site, tune_request

NETWORK = NetworkConfig(width=1 / 64)
KNOWN = bytes(range(32))
"""A secret that is none: the first release let the server choose the seed, which is the same."""
LEARNT = FinetuningConfig(iterations=4, batch=16, generator_learning_rate=1e-3, discriminator_learning_rate=1e-3)


@pytest.fixture(scope="module")
def invitation():
    return tune_request(Pair.fresh(NETWORK, len(EMOTIONS), seed=0), NETWORK, LEARNT)


@pytest.fixture
def released(tmp_path, invitation):
    """What a keeper of this speech releases, with this secret or one of its own."""

    def release(name, speech, secret=None):
        place = tmp_path / name
        at_site = site(speech, place, accepting(invitation, bounds=open_bounds()))
        if secret is not None:
            write_secret(at_site.secret, secret)
        keeper = Keeper(at_site)
        reply = said(keeper, invitation)
        keeper.stop()
        return torch.cat([value.flatten() for _, value in sorted(reply.released.items())])

    return release


def without(speech, folder, number):
    """The same speech, but for one recording of the site's that is another one."""
    shutil.copytree(speech.folder, folder)
    rows = [line.split(",") for line in (folder / "recordings.csv").read_text().splitlines()[1:]]
    held, other = [[row[0] for row in rows if (row[2] == HELD) is here] for here in (True, False)]
    shutil.copy(folder / other[number], folder / held[number])
    return Speech(folder)


class TestAGuessOfTheLastRecording:
    """The server knows the request and all recordings but one, and tunes at home for each guess."""

    @pytest.mark.slow
    def test_is_confirmed_to_the_bit_where_the_server_knows_the_seed(self, speech, released, tmp_path, note):
        truth = released("site", speech, KNOWN)
        right = released("right guess", speech, KNOWN)
        wrong = released("wrong guess", without(speech, tmp_path / "wrong", 0), KNOWN)
        note("guess of the last recording", off="the right one gives the same release, bit for bit; a wrong one not")
        assert torch.equal(truth, right)
        assert not torch.equal(truth, wrong)

    def test_is_worth_nothing_where_the_site_has_dice_of_its_own(self, speech, released, tmp_path, note):
        truth = released("site", speech)
        right = [released(f"right guess {number}", speech) for number in range(2)]
        wrong = [released(f"wrong guess {n}", without(speech, tmp_path / f"wrong {n}", n)) for n in range(2)]
        near = [float((truth - guess).norm()) for guess in right]
        far = [float((truth - guess).norm()) for guess in wrong]
        spread = abs(near[0] - near[1]) + abs(far[0] - far[1])
        note("guess of the last recording", on=f"a right one is off by {min(near):.4f}, a wrong one by {min(far):.4f}")
        assert not any(torch.equal(truth, guess) for guess in right)
        assert abs(sum(near) - sum(far)) / 2 <= max(spread, 0.2 * min(near)), "a right guess is no nearer than a wrong"


class TestTheDifferenceOfTwoVersions:
    """A server that asks for one run before and after a recording is exchanged, and compares the releases."""

    @staticmethod
    def shares(speech, invitation, folder):
        """How far apart the releases of two versions are, in units of how far apart two runs are."""
        rules = accepting(invitation, bounds=open_bounds())
        at_site = site(speech, folder / "site", rules)

        def ask(run, recordings):
            keeper = Keeper(at_site.model_copy(update={"root": recordings.folder}))
            tuning = invitation.tuning.model_copy(update={"run": run})
            reply = said(keeper, invitation.model_copy(update={"tuning": tuning}))
            keeper.stop()
            return torch.cat([value.flatten().float() for _, value in sorted(reply.released.items())])

        one = ask("run-1", speech)
        same_run = ask("run-1", without(speech, folder / "second", 0))
        another = ask("run-2", without(speech, folder / "third", 1))
        return float((one - same_run).norm() / (one - another).norm())

    @pytest.mark.slow
    def test_is_the_recording_alone_where_both_throw_the_same_dice(
        self, speech, invitation, tmp_path, monkeypatch, note
    ):
        monkeypatch.setattr("client.tuning.seed_of", lambda tuning, dice, door: dice.tuning(tuning.run, tuning.session))
        share = self.shares(speech, invitation, tmp_path)
        note("differencing: two versions of one run", off=f"{share:.2f} of what two runs differ by")
        assert share < 0.5

    def test_is_as_that_of_two_runs_where_each_version_has_dice_of_its_own(self, speech, invitation, tmp_path, note):
        share = self.shares(speech, invitation, tmp_path)
        note("differencing: two versions of one run", on=f"{share:.2f} of what two runs differ by")
        assert 0.7 < share < 1.4


class TestAskingAgainAndAgain:
    """Before and after a change of the speech, as often as the site lets it be asked."""

    def test_gives_the_same_release_again_and_new_speech_another_until_all_are_spent(
        self, speech, invitation, tmp_path, note
    ):
        rules = accepting(invitation, bounds=open_bounds(), releases_in_all=2)
        at_site = site(speech, tmp_path, rules)

        def ask(run, recordings):
            keeper = Keeper(at_site.model_copy(update={"root": recordings.folder}))
            tuning = invitation.tuning.model_copy(update={"run": run})
            reply = said(keeper, invitation.model_copy(update={"tuning": tuning}))
            keeper.stop()
            return reply

        before = [ask(f"run-{number}", speech) for number in range(3)]
        after = [
            ask("run-3", without(speech, tmp_path / "second", 0)),
            ask("run-4", without(speech, tmp_path / "third", 1)),
        ]
        weights = [reply.released["linears.0.weight"] for reply in before]
        assert all(torch.equal(weights[0], other) for other in weights[1:])
        assert after[0].kind == "release"
        assert not torch.equal(weights[0], after[0].released["linears.0.weight"])
        assert after[1].code is Code.RELEASES_SPENT
        note(
            "differencing: before and after a change",
            off="eight tunings a day, every day, each with other draws if the server wants",
            on=f"one release of each version of the speech, {Policy().releases_in_all} in a site's life",
        )

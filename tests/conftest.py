"""What every test shares: one thread, so that many tests fit two cores and sums come out alike; dice; messages."""

import gc
import os
import random
import resource
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, register_random, settings
from hypothesis.internal.conjecture import providers
from xdist.scheduler import LoadFileScheduling

from client import dice
from common.config import Config, FeatureConfig, FinetuningConfig, NetworkConfig
from common.corpora.builtin import generate
from common.features.scaling import Scaling
from common.features.vectors import identity_of_vectors, space_of_vectors
from common.networks import Discriminator, Generator, learned_weights, release_weights
from common.recognizers.methods.cnn import RECOGNIZER, untrained
from common.seeds import torch_stream
from common.settings import EMOTIONS, hash_identity
from common.spaces import PATCHES
from common.synthesizers import synthesizer
from common.synthesizers.methods.eskimez import SYNTHESIZER
from common.training.pretrained import save_pretrained
from common.training.reporters import Reporter
from common.training.stages import Pair
from common.wire import Card, Extremes, Release, Score, Scored, Scoring, Tune, Tuning, weights_digest
from server import checks
from server.bank import Bank
from server.pretraining import pretraining_identity

PATIENT = settings(
    settings.get_profile("default"),
    deadline=None,  # a busy machine is no mistake of the code
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("same", PATIENT, max_examples=50, derandomize=True, database=None)
settings.register_profile("random", PATIENT, max_examples=1000, print_blob=True)
settings.load_profile("same")

of_loaded_modules, NONE = providers._get_local_constants, providers.Constants()


def _constants():
    """What hypothesis mixes into its draws: random ones have numbers of the code, as far as it happens to be loaded."""
    return NONE if settings.default.derandomize else of_loaded_modules()


providers._get_local_constants = _constants


class TorchDice:
    """PyTorch's global generator, as hypothesis winds it back for each example."""

    seed = staticmethod(torch.default_generator.manual_seed)
    getstate = staticmethod(torch.default_generator.get_state)
    setstate = staticmethod(torch.default_generator.set_state)


torch_dice = TorchDice()  # named, for hypothesis holds it no longer than we do
register_random(torch_dice)


class Thrown(random.Random):
    """What a site throws for its secret."""

    token_bytes = random.Random.randbytes


dice.secrets = thrown = Thrown()

checks.SAMPLES = 8  # of the thirty-two that are drawn from each release of a test, no test needs more


def _begin_alike(name):
    """What a whole process shares is as at its start: global generators, and the threads on which a sum depends.

    A site that is made here has a secret like no other's, and the same one in every run.
    """
    thrown.seed(name)
    random.seed(0)
    np.random.seed(0)
    torch.default_generator.manual_seed(0)
    torch.set_num_threads(1)


COMPARISONS = "tests/simulations/comparison/"


class BySharing(LoadFileScheduling):
    """A file's tests in one process; all of comparisons in one too: what they share takes a dozen seconds to make."""

    def _split_scope(self, nodeid):
        return COMPARISONS if nodeid.startswith(COMPARISONS) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    """With `--dist loadfile` only: whoever asks for another way gets it."""
    return BySharing(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish():
    """What is loaded by now stays to the end, so that no collection of garbage need look through it."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    """Before each fixture, which may be of a whole session and made for whichever test comes first."""
    _begin_alike(f"{fixturedef.argname} {getattr(request, 'param_index', 0)} {request.node.nodeid}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    """Before each test."""
    _begin_alike(item.nodeid)


@pytest.fixture(scope="session", autouse=True)
def _unhurried_disk():
    """Files are written all the same, only later: whether they outlast a power cut no test sees, and waiting takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


class Heard(Reporter):
    """Keeps all that it is told."""

    def __init__(self):
        self.began, self.records, self.pictures = [], [], []

    def begin(self, stage, first, iterations):
        self.began.append((stage, first, iterations))

    def record(self, stage, step, metrics):
        self.records.append((stage, step, dict(metrics)))

    def show(self, stage, step, patches, columns):
        self.pictures.append((stage, step, tuple(patches.shape), columns))


@pytest.fixture(scope="session")
def listener():
    """To be called once for each training that is listened to."""
    return Heard


@pytest.fixture(scope="session")
def _forty_recordings(tmp_path_factory):
    """What `make_speech` copies: to say it anew takes a second, and many ask."""
    folder = tmp_path_factory.mktemp("spoken")
    manifest = generate(folder, utterances_per_cell=1)
    rows = [f"{one.path},{one.emotion},{one.session},{one.speaker}" for one in manifest.utterances]
    (folder / "recordings.csv").write_text("\n".join(["path,emotion,session,speaker", *rows]))
    return folder


@pytest.fixture(scope="session")
def make_speech(_forty_recordings):
    """A function that fills a folder with forty recordings, one an emotion and speaker of the built-in cast."""
    return lambda folder: shutil.copytree(_forty_recordings, folder, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def tune():
    """A request to tune networks of the smallest width."""
    network = NetworkConfig(width=1 / 64)
    base = Pair(Generator(network), Discriminator(network, 1)).learned()
    settings = SYNTHESIZER.Settings(network=network, finetuning=FinetuningConfig(iterations=10, batch=4))
    tuning = Tuning(
        run="run-1",
        session="03+08",
        synthesizer=SYNTHESIZER.name,
        settings=settings.model_dump(mode="json"),
        labels=EMOTIONS,
        space=PATCHES,
        features="0123456789ab",
        scaling=Extremes(low=-16.0, high=5.5),
        weights=weights_digest({"base": base}),
    )
    return Tune(tuning=tuning, shipped=True, base=base)


@pytest.fixture(scope="session")
def release(tune):
    """An answer to `tune`."""
    generator = Generator(tune.tuning.own.network, seed=1)
    return Release(
        card=Card(tuning=tune.tuning, known=(True,) * 4, utterances=None, seconds=3),
        released=release_weights(generator),
    )


@pytest.fixture(scope="session")
def vector_release():
    """A Gaussian of functionals, made with the usual features."""
    method, vectors = synthesizer("gaussian"), Config().vectors
    space = space_of_vectors(vectors)
    tuning = Tuning(
        run="run-1",
        session="03+08",
        synthesizer=method.name,
        settings=method.Settings().model_dump(mode="json"),
        labels=EMOTIONS,
        space=space,
        features=identity_of_vectors(vectors),
        scaling=None,
        weights=None,
    )
    shapes = method.shapes(method.Settings(), space, len(EMOTIONS))
    made = {name: torch.randn(shape, generator=torch_stream(name)).abs().half() for name, shape in shapes.items()}
    return Release(card=Card(tuning=tuning, known=(True,) * 4, utterances=None, seconds=3), released=made)


@pytest.fixture
def release_file(tmp_path, release):
    """The release in the bank of a run, made with the usual features."""
    tuning = release.card.tuning.model_copy(update={"features": hash_identity(FeatureConfig().model_dump(mode="json"))})
    bank = Bank(tmp_path / "run" / "bank")
    return bank.files(
        bank.add(
            Release(card=Card(tuning=tuning, known=(True,) * 4, utterances=None, seconds=3), released=release.released)
        )
    )[1]


@pytest.fixture
def pretrained_folder(tmp_path):
    """Networks of the smallest width, as pre-training leaves them."""
    config = Config(network=NetworkConfig(width=1 / 64))
    pair = Pair.fresh(config.network, config.corpus.classes, config.seed)
    save_pretrained(tmp_path / "pretrained", pair, Scaling(-16.0, 4.0), pretraining_identity(config), {})
    return tmp_path / "pretrained"


@pytest.fixture(scope="session")
def score(tune):
    """A request to score a recognizer of the smallest width."""
    tuning = tune.tuning
    settings = RECOGNIZER.Settings(network=tuning.own.network)
    weights = learned_weights(untrained(settings, len(tuning.labels)).state_dict())
    scoring = Scoring(
        run=tuning.run,
        session=tuning.session,
        fold="03+08",
        recognizer=RECOGNIZER.name,
        settings=settings.model_dump(mode="json"),
        labels=tuning.labels,
        space=tuning.space,
        features=tuning.features,
        scaling=tuning.scaling,
        weights=weights_digest({"recognizer": weights}),
    )
    return Score(scoring=scoring, recognizer=weights)


@pytest.fixture(scope="session")
def scored(score):
    """An answer to `score`."""
    return Scored(
        scoring=score.scoring, epsilon=None, counts=(((3, 1, 0, 0), (0, 4, 0, 0), (1, 0, 5, 0), (0, 0, 2, 6)),)
    )


@pytest.fixture(scope="session")
def disk_with_room_for():
    @contextmanager
    def limit(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit

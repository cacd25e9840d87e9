"""Accepted networks, an accepted recipe, the default policy: what the strongest attack found reads of a release."""

from collections import defaultdict

import pytest
import torch

from client.keeper import Keeper
from common.config import load_config
from common.features.patches import windows
from common.features.scaling import Scaling
from common.networks import release_weights
from common.training.pretrained import load_pretrained, shipped_weights
from tests.attacks.clinic import LEVELS, WINDOW_HOP, said, site, tune_request
from tests.attacks.conftest import REAL
from tests.attacks.tracing import Candidates, Traced, bake, gained, generator_of, made_again, order, together, trace

PRESET, BASE = "emodb", "demo"
TRIES = 20
"""Recordings that are named of each tuning."""
SURELY = 0.01
"""A chance below which a finding counts; four attacks were tried, and two tunings."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def config():
    return load_config(PRESET)


@pytest.fixture(scope="module")
def base(config):
    return load_pretrained(shipped_weights(BASE), config.network, config.features, config.corpus.classes)


@pytest.fixture(scope="module")
def halves(real_utterances):
    """Every other recording of each speaker and emotion of the session: two sites of the same people."""
    cells = defaultdict(list)
    for utterance in real_utterances.utterances:
        if utterance.session == REAL:
            cells[utterance.speaker, utterance.emotion].append(utterance.path)
    firsts = {path for number, cell in enumerate(cells.values()) for path in cell[number % 2 :: 2]}
    return firsts, {path for cell in cells.values() for path in cell} - firsts


@pytest.fixture(scope="module")
def session(real_speech, tmp_path_factory):
    """All recordings of the session as the attacker has them, and where each is stored."""
    folder = real_speech("session", lambda utterance: utterance.session == REAL)
    door = Keeper(site(folder, tmp_path_factory.mktemp("session-site")))._door
    cut = [windows(Scaling(LEVELS.low, LEVELS.high).apply(log_mel), WINDOW_HOP) for log_mel in door.features]
    owners = torch.tensor([number for number, patches in enumerate(cut) for _ in patches])
    classes = torch.tensor([door.manifest.label_index(utterance) for utterance in door.manifest.utterances])
    return Candidates(torch.cat(cut), owners, classes), [utterance.path for utterance in door.manifest.utterances]


@pytest.fixture(scope="module")
def ancestor(base, config, session):
    """What the public networks make of each recording; they know no emotion."""
    return made_again(generator_of(release_weights(base.pair.generator), config.network), session[0], conditioned=False)


def test_recordings_that_were_learnt_by_heart_are_traced(base, config, session, halves, ancestor, note):
    candidates, paths = session
    members = torch.tensor([path in halves[0] for path in paths])
    baked = bake(generator_of(release_weights(base.pair.generator), config.network), candidates.only(members))
    gains = gained(ancestor, made_again(baked, candidates))
    found = trace(gains, members, TRIES)
    note(
        "tracing: accepted networks and recipe",
        off=f"{found}, AUC {order(gains, members):.2f}: it learnt them by heart",
    )
    assert found.chance < SURELY


def test_those_of_a_tuning_are_not_traced_above_chance(
    real_speech, base, config, session, halves, ancestor, tmp_path, note
):
    candidates, paths = session
    found: list[Traced] = []
    orders = []
    for number, half in enumerate(halves):
        speech = real_speech(f"half-{number}", lambda utterance, half=half: utterance.path in half)
        keeper = Keeper(site(speech, tmp_path / str(number), precision="auto"))
        request = tune_request(base.pair, config.network, config.finetuning, config.optimizer, LEVELS)
        release = said(keeper, request)
        keeper.stop()
        members = torch.tensor([path in half for path in paths])
        gains = gained(ancestor, made_again(generator_of(release.released, config.network), candidates))
        found.append(trace(gains, members, TRIES))
        orders.append(order(gains, members))
    told = together(found)
    note("tracing: accepted networks and recipe", on=f"{told}; AUC {orders[0]:.2f} and {orders[1]:.2f}")
    assert told.chance > SURELY

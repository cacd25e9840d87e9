"""Twenty sites at once on whatever this machine has."""

import pytest

from common.corpora.builtin import generate
from server.plans import EVERYONE
from simulations.deployment.campaign import run_deployed
from simulations.deployment.local import local_deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
MANY = 20


@pytest.fixture(scope="module")
def crowd(config, tmp_path_factory):
    """The tests' configuration on a table of twenty sessions: one recording of each emotion."""
    folder = tmp_path_factory.mktemp("crowd")
    spoken = generate(folder, utterances_per_cell=2).utterances  # ten speakers, so twenty of each emotion
    emotions = {emotion: [one for one in spoken if one.emotion == emotion] for emotion in config.corpus.emotions}
    rows = [
        f"{one.path},{emotion},site-{number:02},speaker-{number:02}"
        for emotion, ones in emotions.items()
        for number, one in enumerate(ones)
    ]
    (folder / "recordings.csv").write_text("\n".join(["path,emotion,session,speaker", *rows]))
    runtime = config.runtime.model_copy(update={"corpus_root": str(folder)})
    # What two steps make of untrained networks is no speech.
    campaign = config.campaign.model_copy(update={"checks": ()})
    return config.model_copy(update={"runtime": runtime, "campaign": campaign})


def test_twenty_sites_at_once_all_send_their_generator(crowd, deploy, weights, tmp_path):
    layout, settings = deploy(crowd)
    assert len(layout.sites) == MANY
    with local_deployment(layout, settings, layout.sites) as running:
        outcome = run_deployed(
            running.link, tmp_path / "run", crowd, weights, plan=EVERYONE, expected=MANY, watch=running.processes.tend
        )
    assert outcome.sessions == [f"site-{number:02}" for number in range(MANY)]
    assert outcome.failures == []

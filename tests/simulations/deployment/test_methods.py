"""Other synthesizers than the usual one through real keepers over TLS: what is banked is what `simulate` banks."""

import re

import pytest

from client.recipes import recipe_of
from common.config.loading import changed
from server.bank import Bank
from server.campaign import BANK, RESULTS
from simulations.deployment.campaign import run_deployed
from simulations.deployment.local import local_deployment
from simulations.deployment.sessions import holders_of, read_sessions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
SESSIONS = ["Session1", "Session2", "Session3"]
METHODS = {
    "chatziagapi": ["methods.synthesizer=chatziagapi", "campaign.checks=[]"],  # two steps make samples all alike
    "gaussian": ["methods.synthesizer=gaussian", "methods.recognizer=nearest-mean"],
}


@pytest.fixture(scope="module")
def configs(config, make_speech, tmp_path_factory):
    """A configuration for each method, on three sessions; they share what a site reads of its speech."""
    folder = make_speech(tmp_path_factory.mktemp("speech"))
    heading, *rows = (folder / "recordings.csv").read_text().splitlines()
    kept = [row for row in rows if row.split(",")[2] in SESSIONS]
    (folder / "recordings.csv").write_text("\n".join([heading, *kept]))
    own = changed(config, [f"runtime.corpus_root={folder}", "vectors.normalisation=session"], "the test")
    return {name: changed(own, words, "the test") for name, words in METHODS.items()}


@pytest.fixture(scope="module")
def deployment(configs, deploy):
    """Three sites whose policy accepts the recipes of both methods."""
    layout, settings = deploy(configs["chatziagapi"])
    recipes = [recipe_of(config).digest for config in configs.values()]
    for name in layout.sites:
        policy = layout.site(name).policy
        policy.write_text(re.sub(r"(?m)^recipes = .*", f"recipes = {recipes}", policy.read_text()))
    with local_deployment(layout, settings, layout.sites) as running:
        yield running


@pytest.mark.parametrize("name", METHODS)
def test_a_method_behind_keepers_over_tls_banks_the_bits_of_simulate(
    name, configs, deployment, simulated, digests, weights, tmp_path
):
    config, run = configs[name], tmp_path / "run"
    holders = holders_of(deployment.registry.nodes(), read_sessions(deployment.layout.server.sessions))
    watch = deployment.processes.tend
    outcome = run_deployed(deployment.link, run, config, weights, expected=3, holders=holders, watch=watch)
    assert (outcome.sessions, outcome.failures) == (SESSIONS, [])
    assert {banked.card.tuning.synthesizer for banked in Bank(run / BANK).banked()} == {name}
    expected = simulated(config)
    assert digests(run) == digests(expected)
    assert (run / RESULTS).read_bytes() == (expected / RESULTS).read_bytes()

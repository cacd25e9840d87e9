"""Each paper's preset runs end to end with budgets that a test can pay: its rows, its report, its paper's column."""

import pytest

from common.config import load_config
from simulations.comparison.schema import read_results
from simulations.report.published import printed_for
from simulations.report.tables import papers_number
from simulations.report.writing import write_report

AUTOENCODERS = [f"{name}.{setting}" for name in ("m1", "m2", "m3") for setting in ("iterations=2", "width=0.1")]
SHORT = {
    "best": ["sampling.per_emotion=8"],
    "adan": ["adan.iterations=3", "adan.hidden=8", "dnn.iterations=3"],
    "wadan": ["wadan.iterations=3", "wadan.hidden=8", "dnn.iterations=3"],
    "cyclegan": ["cyclegan.iterations=2", "cyclegan.start=1", "cyclegan.classifier=2", "cyclegan.hidden=8"],
    "sahu": AUTOENCODERS,
    "networks": [
        *AUTOENCODERS,
        *(f"{name}.{setting}" for name in ("adan", "wadan") for setting in ("iterations=3", "hidden=8")),
        *("cyclegan.iterations=2", "cyclegan.start=1", "cyclegan.classifier=2", "cyclegan.hidden=8"),
        *(f"{name}.{setting}" for name in ("gan", "cgan") for setting in ("iterations=2", "hidden=8")),
    ],
    "chatziagapi": [
        'compare.modes=["real","baseline"]',  # what is not trained is put aside where it would leave a site
        *("chatziagapi.autoencoder_iterations=1", "chatziagapi.iterations=1", "chatziagapi.batch=2"),
        *("vgg19.iterations=1", "vgg19.width=0.015625", "vgg19.batch=2"),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("preset", SHORT)
def test_a_preset_runs_to_its_report_with_the_rows_that_it_names(comparing, config, tmp_path, preset):
    small = load_config(preset, [*SHORT[preset], "sampling.per_emotion=8"])
    settings = small.model_copy(update={"corpus": config.corpus, "runtime": config.runtime})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulations.comparison.vectors.AN_EMOTION", 6)
        comparing(tmp_path / "run", settings=settings, base=None, folds=["Session1"], seeds=1)
    results = read_results(tmp_path / "run")
    assert results.failures == []
    assert {name.replace(",", "") for name in results.modes} == set(settings.compare.modes)
    assert all(row.complete for row in results.modes.values())
    page, beside = write_report(tmp_path / "run").read_text(), [papers_number(results, name) for name in results.modes]
    assert (printed_for(preset).paper in page) == any(beside)

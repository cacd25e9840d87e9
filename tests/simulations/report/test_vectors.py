"""Figures of the vector systems: what they show is told in words too, and they are narrow enough for a phone."""

import io
import re
from functools import cache

import numpy as np
import pytest
from PIL import Image

from common.errors import UserError
from common.scoring.labelled import Labelled
from simulations.report import vectors
from simulations.report.drawing import NARROW, SMALLEST, WIDE
from simulations.report.palette import LIGHT
from simulations.report.vectors import Bar, Line

EMOTIONS = ("neutral", "angry", "sad", "happy")


def drawn(seed, n=40, d=6):
    return Labelled(np.random.default_rng(seed).normal(size=(n, d)), np.arange(n) % 4)


def some_losses():
    steps = np.arange(1, 201)
    lines = {"training": (steps, 1 / steps), "held out": (steps, 2 / steps)}
    return vectors.losses({"encoder": lines, "generator": lines, "discriminator": lines})


def some_map():
    return vectors.maps({"original": (drawn(0), drawn(1)), "latent": (drawn(2, d=3), drawn(3, d=3))}, EMOTIONS, seed=7)


def some_histogram(real=1, made=1):
    """Where a side reaches so many times as far."""
    samples = {"gaussian": drawn(1).values[:, 0], "wadan": made * drawn(2).values[:, 0]}
    return vectors.histogram(real * drawn(0).values[:, 0], samples, (4, "feature_4"), seed=0)


def some_scores():
    at = np.arange(4)
    lines = {"SVM": Line.of(at, [[0.8, 0.7, 0.6, 0.5], [0.9, 0.8, 0.7, 0.6]]), "DNN": Line.of(at, [0.5, 0.6, 0.7, 0.8])}
    return vectors.against({"copying": lines, "wadan": lines, "gan": lines}, "sets beside real", {"SVM": 0.86})


def some_codes():
    return vectors.codes({"training": drawn(0, d=2), "held out": drawn(1, d=2), "samples": drawn(2, d=2)}, EMOTIONS)


def some_bars():
    bars = {"imbalanced": Bar(0.7, 0.6, 0.8, 0.25), "smote": Bar(0.75, 0.65, 0.85, 0.5)}
    return vectors.imbalance({"angry": bars, "sad": bars})


FIGURES = {
    "losses": some_losses,
    "maps": some_map,
    "histogram": some_histogram,
    "against": some_scores,
    "codes": some_codes,
    "imbalance": some_bars,
}


@cache
def figure_of(name):
    return FIGURES[name]()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_a_form_for_a_phone_whose_smallest_type_can_be_read_there(name):
    figure = figure_of(name)
    assert figure.name == name
    for form, wanted in ((figure.narrow, NARROW), (figure.svg, WIDE)):
        assert float(re.search(r'viewBox="0 0 ([\d.]+)', form)[1]) == wanted
        sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", form)]
        assert sizes
        assert min(sizes) >= SMALLEST
        assert not any(light in form for light in LIGHT.values())
    assert Image.open(io.BytesIO(figure.png)).width == 1500


def test_the_same_numbers_give_the_same_map():
    assert some_map() == figure_of("maps")


def test_losses_tell_every_network_and_split_from_where_to_where():
    assert "encoder, training: from 1.00 to 0.005; encoder, held out: from 2.00 to 0.010" in figure_of("losses").alt
    assert figure_of("losses").svg.count(">held out<") == 1


def test_a_smooth_line_neither_lags_nor_sags_at_its_ends():
    line = np.linspace(3.0, 5.0, 1000)
    assert np.allclose(vectors._smooth(line)[100:-100], line[100:-100])
    assert np.allclose(vectors._smooth(np.full(1000, 3.0)), 3.0)
    noisy = line + np.random.default_rng(0).normal(size=1000)
    assert np.std(vectors._smooth(noisy) - line) < 0.4
    assert np.array_equal(vectors._smooth(np.array([1.0, 2.0])), [1.0, 2.0])


def test_a_map_prints_its_perplexity_its_seed_and_how_many_there_are():
    figure = figure_of("maps")
    assert "t-SNE, perplexity 26; seed 7; real dark, synthetic light" in figure.svg  # (80 - 1) // 3
    assert figure.svg.count("real 40, synthetic 40") == 2
    assert "perplexity 26; seed 7" in figure.alt


def test_a_histogram_has_the_bins_of_the_real_vectors_and_tells_what_lies_beyond():
    figure = figure_of("histogram")
    assert "feature 4 drawn with seed 0" in figure.svg
    assert "feature_4" in figure.svg
    assert "wadan: 0 % beyond what is shown" in figure.alt
    assert re.search(r"wadan: [4-9]\d % beyond what is shown", some_histogram(made=10).alt)
    assert some_histogram(real=10) != figure


def test_bins_go_on_in_the_same_width_on_both_sides():
    edges = np.histogram_bin_edges(drawn(0, n=400).values[:, 0], bins="fd")
    further = vectors._reaching(edges)
    assert np.allclose(np.diff(further), edges[1] - edges[0])
    assert set(np.round(edges, 9)) <= set(np.round(further, 9))
    assert edges[0] - further[0] == pytest.approx(further[-1] - edges[-1])
    assert further[0] < edges[0]


def test_a_line_is_the_mean_of_its_draws_in_a_band_from_the_lowest_to_the_highest():
    line = Line.of([0, 1], [[0.2, 0.4], [0.4, 0.5]])
    assert line.mean.tolist() == pytest.approx([0.3, 0.45])
    assert (line.low.tolist(), line.high.tolist()) == ([0.2, 0.4], [0.4, 0.5])
    assert "copying, SVM: from 0.850 to 0.550; copying, DNN: from 0.500 to 0.800" in figure_of("against").alt


def test_bars_tell_score_and_recall_of_each_way_of_filling_up():
    assert (
        "angry, imbalanced: UAR 0.700, recall 0.250; angry, smote: UAR 0.750, recall 0.500"
        in figure_of("imbalance").alt
    )


def test_codes_that_are_no_points_of_a_plane_are_refused():
    with pytest.raises(UserError, match="codes of 6 numbers cannot be drawn on a plane: samples"):
        vectors.codes({"samples": drawn(0)}, EMOTIONS)


def test_a_legend_has_as_many_columns_as_fit_a_phone():
    assert vectors.columns_of(["svm", "linear"]) == 2
    assert vectors.columns_of(["0 samples", "600 samples", "2000 samples", "6000 samples"]) == 2
    assert vectors.columns_of(["training", "test"] * 3) == 3
    assert vectors.columns_of(["a name that is longer than any phone is wide"]) == 1

"""Samples that are vectors: what nothing can be learnt from is named, and who is far from all others."""

import pytest
import torch

from common.seeds import torch_stream
from common.spaces import Vectors
from server.checks import SAMPLES, fault_of, statistics_of
from server.outliers import MANY, mislabelled, outlying

SPACE = Vectors(set="forty", size=40, scale="session")
RAW = SPACE.model_copy(update={"scale": "raw"})


def samples(site: str = "a", size: int = 40) -> torch.Tensor:
    """Four emotions with means of their own, the same noise under each."""
    means = torch.randn(4, 1, size, generator=torch_stream("means"))
    return means + torch.randn(1, SAMPLES, size, generator=torch_stream("noise", site))


def test_usual_vectors_have_no_fault() -> None:
    assert fault_of(samples(), SPACE) == ""
    assert fault_of(1e5 * samples(), RAW) == ""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda made: 100 * made, "saturated"),
        (lambda made: torch.where(made > 3, torch.nan, made), "not finite"),
        (lambda made: torch.ones_like(made), "constant: nothing varies within a vector"),
        (lambda made: made[:, :1].expand_as(made), "all alike"),
        (lambda made: made[:1].expand_as(made), "whichever of two emotions"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_named(change, fault) -> None:
    assert fault in fault_of(change(samples()), SPACE)


def test_raw_numbers_have_no_end_at_which_they_could_be_saturated() -> None:
    assert fault_of(100 * samples(), RAW) == ""


@pytest.mark.parametrize("size", [40, MANY + 8])
def test_honest_sites_pass_beside_each_other(size) -> None:
    sites = {name: statistics_of(samples(name, size), SPACE) for name in "abcde"}
    assert outlying(sites) == {}
    assert mislabelled(sites, dict.fromkeys(sites, (0, 1, 2, 3))) == {}


@pytest.mark.parametrize("size", [40, MANY + 8])
def test_a_site_whose_labels_are_exchanged_is_mislabelled_however_many_numbers_there_are(size) -> None:
    sites = {name: statistics_of(samples(name, size), SPACE) for name in "abcde"}
    sites["e"] = statistics_of(samples("e", size)[[1, 2, 3, 0]], SPACE)
    assert list(mislabelled(sites, dict.fromkeys(sites, (0, 1, 2, 3)))) == ["e"]


def test_a_site_far_from_all_others_is_named() -> None:
    sites = {name: statistics_of(samples(name), SPACE) for name in "abcde"}
    sites["c"] = statistics_of(samples("c") + 40, SPACE)
    assert list(outlying(sites)) == ["c"]

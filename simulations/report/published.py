"""What the paper printed, to stand beside what is measured here.

Owns those numbers: Eskimez et al., "GAN-based Data Generation for Speech Emotion Recognition", Interspeech 2020,
Table 2: IEMOCAP, mean and deviation of the F1 score over five folds, in percent. The paper does not say how it
averages F1.
"""

PAPER = "Eskimez et al., Interspeech 2020, Table 2"
TABLE_2: dict[str, tuple[float, float]] = {
    "real": (57.27, 0.99),
    "centralized": (48.54, 3.89),
    "federated": (50.39, 3.31),
    "baseline": (43.05, 2.97),
}


def published(mode: str) -> str | None:
    """As it is printed there.

    >>> published("federated"), published("floor")
    ('50.39 ± 3.31', None)
    """
    return "{:.2f} ± {:.2f}".format(*TABLE_2[mode]) if mode in TABLE_2 else None


def share_of_real(mode: str) -> float:
    """The paper's own ratio.

    >>> round(share_of_real("federated"), 2)
    0.88
    """
    return TABLE_2[mode][0] / TABLE_2["real"][0]

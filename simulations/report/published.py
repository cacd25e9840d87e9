"""What papers printed, to stand beside what is measured here, each under the presets that have its settings.

Owns those numbers. None of them is of speech at hand here: they stand beside as another corpus's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from common.settings import MethodsConfig
from simulations.comparison.schema import Results


@dataclass(frozen=True)
class Printed:
    """A table of a paper.

    Args:
        paper: where it stands.
        heading: what its numbers are.
        about: the corpus, and what a row was trained on.
        protocol: under which of ours they stand beside something alike.
        rows: a number for each mode that it has.
        remark: what must be said beside them.
    """

    paper: str
    heading: str
    about: str
    protocol: str
    rows: Mapping[str, str]
    remark: str = ""


PAPER = "Eskimez et al., Interspeech 2020, Table 2"
LINK = "https://www.isca-archive.org/interspeech_2020/"
TABLE_2: dict[str, tuple[float, float]] = {
    "real": (57.27, 0.99),
    "centralized": (48.54, 3.89),
    "federated": (50.39, 3.31),
    "baseline": (43.05, 2.97),
}
"""IEMOCAP, mean and deviation of the F1 score over five folds, in percent. It does not say how it averages F1."""
ESKIMEZ = Printed(
    PAPER,
    "the paper's F1, %",
    "IEMOCAP; ± folds",
    "leave-one-session-out",
    {mode: f"{mean:.2f} ± {deviation:.2f}" for mode, (mean, deviation) in TABLE_2.items()},
    "The paper does not say how it averages F1.",
)
YI_AND_MAK = Printed(
    "Yi and Mak, IEEE TNNLS 2020, Table I",
    "the paper's UAR, %",
    "EMO-DB, 7 emotions; real and samples",
    "augmentation-curve",
    {
        "gan": "78.60",
        "cgan": "79.93",
        "adan": "82.80 ± 0.03",
        "wadan": "83.31 ± 0.20",
        "copying": "80.96",
        "noise": "80.85",
        "smote": "81.58",
    },
    "Each is the highest point of a curve over the sets beside real speech, chosen on the test folds.",
)
SHILANDARI = Printed(
    "Shilandari et al., 2022, Table 1",
    "the paper's UAR, %",
    "EMO-DB, 5 emotions; real and samples",
    "augmentation-curve",
    {"cyclegan": "80.08", "noise": "80.25", "smote": "79.51"},
    "Six of the eight weighted accuracies of that table stand to the digit in Yi and Mak's, for more utterances.",
)
SAHU = Printed(
    "Sahu et al., Table 2",
    "the paper's UWA, %",
    "IEMOCAP; samples alone",
    "leave-one-session-out",
    {"m1": "45.89", "m2": "46.96", "m3": "51.58"},
    "These are its metric 2 of set 2.",
)
CHATZIAGAPI = Printed(
    "Chatziagapi et al., Interspeech 2019, Table 2",
    "the paper's UAR, %",
    "IEMOCAP; one emotion made rare",
    "imbalance",
    {"real": "49.0", "copying": "49.4", "sa": "49.0", "baseline": "53.6"},
    "Each is the mean over three emotions that were made rare.",
)
PRINTED = {
    "adan": YI_AND_MAK,
    "wadan": YI_AND_MAK,
    "cyclegan": SHILANDARI,
    "sahu": SAHU,
    "chatziagapi": CHATZIAGAPI,
}


def is_the_papers(results: Results) -> bool:
    """Whether a run is about the first paper's synthesizer: beside another one its numbers would mislead."""
    papers = MethodsConfig().synthesizer
    return bool(results.settings.get("methods", {}).get("synthesizer", papers) == papers)


def printed_for(preset: str) -> Printed:
    """The table whose settings a preset has; the first paper's for all that name no other.

    >>> printed_for("emodb").rows["federated"], printed_for("adan").rows["wadan"]
    ('50.39 ± 3.31', '83.31 ± 0.20')
    """
    return PRINTED.get(preset, ESKIMEZ)


def number_for(preset: str, protocol: str, mode: str) -> str | None:
    """What stands in the paper's table for a mode, if the protocol is like the table's.

    >>> number_for("adan", "augmentation-curve", "adan"), number_for("adan", "leave-one-session-out", "adan")
    ('82.80 ± 0.03', None)
    """
    printed = printed_for(preset)
    return printed.rows.get(mode) if protocol == printed.protocol else None


def share_of_real(mode: str) -> float:
    """The first paper's own ratio.

    >>> round(share_of_real("federated"), 2)
    0.88
    """
    return TABLE_2[mode][0] / TABLE_2["real"][0]

"""One release beside the others: samples far from all others', and labels that mean something else than the others'.

Owns both measures, their limits, and when they say nothing. Must not know a release, only statistics of its samples.

Limits stand well beyond every honest release that was tried, hardly tuned ones and a single site of another corpus
included: such a site's labels may be recognized as seldom as by chance, so that is no sign of malice. What is found is
noise in the place of speech, what hardly varies, and labels that have all been exchanged. Two that are exchanged pass,
and so does whoever poisons with care.

Labels are judged by those who know all the emotions that a release knows, and only of a release that knows three or
more: what two emotions do is one direction, which is right or wrong as a whole, and by chance. So whoever says to know
two only is not judged by its labels.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean, median

import torch
from torch import Tensor

from common.seeds import torch_stream
from server.checks import Statistics

FEWEST = 4
"""Releases without which nobody is odd."""
FEWEST_EMOTIONS = 3
"""Emotions without which labels tell too little, where there are as many."""
LEAST_USUAL = 0.05
"""Deviation of statistics, half of what tuned generators have: below it none is far, for all hardly vary."""
FARTHEST = 10.0
"""In units of what samples of one release deviate by: twice the farthest honest one."""
NARROWEST = 0.05
"""Deviation of samples, in what is usual."""
LEAST_RECOGNIZED = 0.25
"""In units of chance."""
AGREEMENT = 0.5
"""How far between chance and certainty the others' labels must be recognized among themselves."""
RIDGE = 1.0
MANY = 1024
"""Numbers in a sample from which on a reader is shown a random view of them."""
TINY = 1e-3


def outlying(statistics: Mapping[str, Statistics]) -> dict[str, str]:
    """Name to reason. Medians stand for all, so that a few bad ones do not move what is usual; nor can half be odd."""
    if len(statistics) < FEWEST:
        return {}
    kinds = {kind: _beside([one[kind] for one in statistics.values()]) for kind in next(iter(statistics.values()))}
    if fmean(usual for _, _, usual in kinds.values()) < LEAST_USUAL:
        return {}
    found = {}
    for number, name in enumerate(statistics):
        distances = {kind: float(distance[number]) for kind, (distance, _, _) in kinds.items()}
        farthest = max(distances, key=lambda kind: distances[kind])
        if distances[farthest] > FARTHEST:
            found[name] = f"its samples are {distances[farthest]:.0f} deviations from what is usual in {farthest}"
        elif all(float(width[number]) < NARROWEST for _, width, _ in kinds.values()):
            found[name] = f"its samples vary by less than {NARROWEST:.0%} of what is usual"
    return found if 2 * len(found) < len(statistics) else {}


def _beside(statistic: Sequence[Tensor]) -> tuple[Tensor, Tensor, float]:
    """How far each mean is from the usual one, in usual deviations; each deviation in those; how large those are."""
    means = torch.stack([one.flatten(0, 1).float().mean(dim=0) for one in statistic])
    deviations = torch.stack([one.flatten(0, 1).float().std(dim=0) for one in statistic])
    usual, unit = means.quantile(0.5, dim=0), deviations.quantile(0.5, dim=0) + TINY
    return ((means - usual) / unit).square().mean(dim=1).sqrt(), (deviations / unit).mean(dim=1), float(unit.mean())


def mislabelled(statistics: Mapping[str, Statistics], known: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """Name to reason; `known` are the classes in the order of a release's statistics."""
    fewest = min(FEWEST_EMOTIONS, max(map(len, known.values()), default=0))
    found: dict[str, str] = {}
    for classes in sorted({one for one in known.values() if len(one) >= fewest}, key=lambda one: (-len(one), one)):
        knowing = {
            name: {kind: values[[known[name].index(number) for number in classes]] for kind, values in one.items()}
            for name, one in statistics.items()
            if {*classes} <= {*known[name]}
        }
        found = found or {
            name: why for name, why in _mislabelled(knowing, len(classes)).items() if known[name] == classes
        }
    return found


def _mislabelled(statistics: Mapping[str, Statistics], classes: int) -> dict[str, str]:
    """Of the worst one alone: a bad one among those that a reader learns from makes it mistake the good ones too."""
    if len(statistics) < FEWEST:
        return {}
    recognized = dict(zip(statistics, _recognized([_effects(one) for one in statistics.values()]), strict=True))
    chance, worst = 1 / classes, min(recognized, key=lambda name: recognized[name])
    others = median(share for name, share in recognized.items() if name != worst)
    if recognized[worst] >= LEAST_RECOGNIZED * chance or others < chance + AGREEMENT * (1 - chance):
        return {}
    told = f"its labels mean what the others' do in {recognized[worst]:.0%} of cases, by chance {chance:.0%}"
    return {worst: f"{told}; the others' own in {others:.0%}"}


def _effects(statistics: Statistics) -> Tensor:
    """[classes, samples, d]: what an emotion does to a sample, its latent being the same."""
    together = torch.cat(tuple(statistics.values()), dim=2).double()
    return together - together.mean(dim=0)


def _recognized(effects: Sequence[Tensor]) -> list[float]:
    """The share of each release's samples whose emotion a linear reader recognizes that learnt from all the others'.

    Every release weighs the same however loud it is; the normal equations of each are taken out of the sum in turn.
    """
    unit = torch.stack([one.flatten(0, 1).std(dim=0) for one in effects]).quantile(0.5, dim=0) + TINY
    shown = [one / unit for one in effects]
    shown = [(one / (one.square().mean().sqrt() + TINY)).flatten(0, 1) for one in shown]
    if shown[0].shape[1] > MANY:  # as many equations take long to solve, and a random view of them does as well
        view = torch.randn(shown[0].shape[1], MANY, generator=torch_stream("outliers"), dtype=torch.float64)
        shown = [one @ view / MANY**0.5 for one in shown]
    classes, samples, _ = effects[0].shape
    labels = torch.arange(classes).repeat_interleave(samples)
    wanted = torch.nn.functional.one_hot(labels).double() - 1 / classes
    squares, answers = sum(one.T @ one for one in shown), sum(one.T @ wanted for one in shown)
    ridge = RIDGE * (len(shown) - 1) * classes * samples * torch.eye(shown[0].shape[1], dtype=torch.float64)
    shares = []
    for one in shown:
        reader = torch.linalg.solve(squares - one.T @ one + ridge, answers - one.T @ wanted)
        shares.append(float(((one @ reader).argmax(dim=1) == labels).double().mean()))
    return shares

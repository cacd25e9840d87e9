"""One release beside the others: samples far from all others', and labels that mean something else than the others'.

Owns both measures, their limits, and when they say nothing. Must not know a release, only statistics of its samples.

Limits were set where honest releases never were; sites of one corpus among those of another are honest too. The
distance of 61 of them was 5.1 at the most, of noise or a picture in the place of speech 10 to 30. Labels were heard in
0.86 to 0.98 of cases after a whole tuning, in 0.34 and more after a short one, and those that had all been exchanged in
0 to 0.12. A tuning may be at chance and honest: what is put aside is heard far less often than by chance.
"""

from collections.abc import Mapping, Sequence
from statistics import median

import torch
from torch import Tensor

from server.checks import Statistics

FEWEST = 4
"""Releases without which nobody is odd."""
FARTHEST = 10.0
"""In units of what samples of one release deviate by: twice the farthest honest one."""
LEAST_HEARD = 0.5
"""In units of chance."""
LISTENING = 0.5
"""How far between chance and certainty the others' labels must be heard among themselves."""
RIDGE = 1.0
TINY = 1e-3


def outlying(statistics: Mapping[str, Statistics]) -> dict[str, str]:
    """Name to reason. Medians stand for all, so that a few bad ones do not move what is usual; nor can half be odd."""
    if len(statistics) < FEWEST:
        return {}
    apart = {kind: _distances([one[kind] for one in statistics.values()]) for kind in next(iter(statistics.values()))}
    found = {}
    for number, name in enumerate(statistics):
        kind = max(apart, key=lambda kind: apart[kind][number])
        if not apart[kind][number] <= FARTHEST:
            found[name] = f"its samples are {apart[kind][number]:.0f} deviations from all others' in {kind}"
    return found if 2 * len(found) < len(statistics) else {}


def _distances(statistic: Sequence[Tensor]) -> list[float]:
    """Of each release's mean from the usual mean, over the usual deviation; the root mean square over dimensions."""
    means = torch.stack([one.flatten(0, 1).mean(dim=0) for one in statistic])
    deviations = torch.stack([one.flatten(0, 1).std(dim=0) for one in statistic])
    usual, unit = means.quantile(0.5, dim=0), deviations.quantile(0.5, dim=0) + TINY
    apart: list[float] = ((means - usual) / unit).square().mean(dim=1).sqrt().tolist()
    return apart


def misheard(statistics: Mapping[str, Statistics]) -> dict[str, str]:
    """Name to reason, of the worst one alone: a bad one among its teachers makes a reader mishear the good ones too."""
    if len(statistics) < FEWEST:
        return {}
    heard = dict(zip(statistics, _heard([_effects(one) for one in statistics.values()]), strict=True))
    classes = len(next(iter(next(iter(statistics.values())).values())))
    chance, worst = 1 / classes, min(heard, key=lambda name: heard[name])
    others = median(share for name, share in heard.items() if name != worst)
    if heard[worst] >= LEAST_HEARD * chance or others < chance + LISTENING * (1 - chance):
        return {}
    told = f"its labels are heard in {heard[worst]:.0%} of cases by who learnt from the others, by chance {chance:.0%}"
    return {worst: f"{told}; the others' own in {others:.0%}"}


def _effects(statistics: Statistics) -> Tensor:
    """[classes, samples, d]: what an emotion does to a sample, its latent being the same."""
    together = torch.cat(tuple(statistics.values()), dim=2).double()
    return together - together.mean(dim=0)


def _heard(effects: Sequence[Tensor]) -> list[float]:
    """The share of each release's samples whose emotion a linear reader hears that learnt from all the others'.

    Every release weighs the same however loud it is; the normal equations of each are taken out of the sum in turn.
    """
    unit = torch.stack([one.flatten(0, 1).std(dim=0) for one in effects]).quantile(0.5, dim=0) + TINY
    shown = [one / unit for one in effects]
    shown = [(one / (one.square().mean().sqrt() + TINY)).flatten(0, 1) for one in shown]
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

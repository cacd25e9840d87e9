"""One release beside the others: samples far from all others', and labels that mean something else than the others'.

Owns both measures, their limits, and when they say nothing. Must not know a release, only statistics of its samples.

Limits stand well beyond every honest release that was tried, hardly tuned ones and a single site of another corpus
included: such a site's labels may be recognized as seldom as by chance, so that is no sign of malice. What is found is
noise in the place of speech, what hardly varies, and labels that have all been exchanged. Two of more that are
exchanged pass, and so does whoever poisons with care.

Labels are judged on the emotions that a release says to know, by those who know all of these. What two emotions do is
one direction, which is recognized as a whole or not at all, and by chance where a release was hardly tuned. So of two
it counts how far: who goes nearly as far the other way as the others go theirs, while those agree, has exchanged them.
An honest site of another corpus was seen to go half as far; one went farther, of a corpus whose sites do not agree.

A release that knows one emotion has nothing to compare it with, and is not judged. To read its samples as they are was
tried: most honest claims of a site of EMO-DB beside sites of RAVDESS were taken for another emotion. Where each session
is scaled by its own mean, all that is left of a single emotion lies around zero, whichever it is.
"""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from statistics import fmean, median

import torch
from torch import Tensor

from common.seeds import torch_stream
from server.checks import Statistics

FEWEST = 4
"""Releases without which nobody is odd."""
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
STEADY = 0.25
"""How far in three quarters of the others at the least: where some are hardly tuned, one may be so by chance."""
BACKWARDS = 0.75
"""How far two emotions must lie the wrong way, in units of how far they usually lie the right way."""
USUAL = 0.15
"""How far two emotions must usually lie the right way, of 0.5 at most: below it sites do not agree on what they are."""
ALIKE = 0.5
"""How far they lie the right way in three quarters of the others at the least, in the same unit."""
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
    found: dict[str, str] = {}
    for classes in sorted({one for one in known.values() if len(one) > 1}, key=lambda one: (-len(one), one)):
        knowing = {
            name: _effects(
                {kind: values[[known[name].index(number) for number in classes]] for kind, values in one.items()}
            )
            for name, one in statistics.items()
            if {*classes} <= {*known[name]}
        }
        if found or len(knowing) < FEWEST:
            continue
        claiming = {name for name in knowing if known[name] == classes}
        found = _exchanged(knowing, claiming) if len(classes) == 2 else _unrecognized(knowing, claiming)
    return found


def _unrecognized(effects: Mapping[str, Tensor], claiming: AbstractSet[str]) -> dict[str, str]:
    """Of the worst one alone: a bad one among those that a reader learns from makes it mistake the good ones too."""
    recognized = {name: _recognized(one) for name, one in _answers(effects).items()}
    chance, worst = 1 / len(next(iter(effects.values()))), min(recognized, key=lambda name: recognized[name])
    each = sorted(share for name, share in recognized.items() if name != worst)
    others, least = median(each), each[(len(each) - 1) // 4]
    certain = others >= chance + AGREEMENT * (1 - chance) and least >= chance + STEADY * (1 - chance)
    if worst not in claiming or recognized[worst] >= LEAST_RECOGNIZED * chance or not certain:
        return {}
    told = f"its labels mean what the others' do in {recognized[worst]:.0%} of cases, by chance {chance:.0%}"
    return {worst: f"{told}; the others' own in {others:.0%}"}


def _exchanged(effects: Mapping[str, Tensor], claiming: AbstractSet[str]) -> dict[str, str]:
    """Of those who say to know these two emotions and no other, the one who goes farthest the wrong way.

    How the others agree is measured without that one, who makes their readers worse.
    """
    ways = {name: _way(one) for name, one in _answers(effects).items()}
    worst = min(claiming, key=lambda name: (ways[name], name))
    if len(effects) <= FEWEST or ways[worst] >= 0:
        return {}
    others = _answers({name: one for name, one in effects.items() if name != worst})
    each = sorted(map(_way, others.values()))
    usual, least = median(each), each[(len(each) - 1) // 4]
    certain = median(map(_recognized, others.values())) >= (1 + AGREEMENT) / 2
    if not certain or usual < USUAL or least < ALIKE * usual or ways[worst] > -BACKWARDS * usual:
        return {}
    told = f"its two emotions lie {-ways[worst] / usual:.0%} as far apart as the others', the other way round"
    return {worst: f"{told}: its labels are exchanged"}


def _way(answers: Tensor) -> float:
    """How far samples lie towards their own emotion, and so below zero where they lie the other way."""
    return float(answers.diagonal(dim1=0, dim2=2).mean() - answers.mean())


def _recognized(answers: Tensor) -> float:
    """The share of samples whose emotion is answered."""
    return float((answers.argmax(dim=2) == torch.arange(len(answers))[:, None]).double().mean())


def _effects(statistics: Statistics) -> Tensor:
    """[classes, samples, d]: what an emotion does to a sample, its latent being the same.

    In as few bits as statistics are kept in, for those of every release are in memory together.
    """
    together = torch.cat(tuple(statistics.values()), dim=2)
    return (together.float() - together.float().mean(dim=0)).to(together.dtype)


def _answers(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of each release [classes, samples, classes]: what a linear reader answers that learnt from all the others.

    Every release weighs the same however loud it is; the normal equations of each are taken out of the sum in turn.
    """
    effects = [*named.values()]
    unit = torch.stack([one.flatten(0, 1).float().std(dim=0) for one in effects]).quantile(0.5, dim=0) + TINY
    classes, samples, numbers = effects[0].shape
    view = _view(numbers)
    shown = [_shown(one / unit, view) for one in effects]
    labels = torch.arange(classes).repeat_interleave(samples)
    wanted = torch.nn.functional.one_hot(labels).double() - 1 / classes
    squares = sum(one.double().T @ one.double() for one in shown)
    answers = sum(one.double().T @ wanted for one in shown)
    ridge = RIDGE * (len(shown) - 1) * classes * samples * torch.eye(shown[0].shape[1], dtype=torch.float64)
    answered = []
    for one in map(Tensor.double, shown):
        reader = torch.linalg.solve(squares - one.T @ one + ridge, answers - one.T @ wanted)
        answered.append((one @ reader).unflatten(0, (classes, samples)))
    return dict(zip(named, answered, strict=True))


def _view(numbers: int) -> Tensor | None:
    """Of samples of very many numbers: as many equations take long to solve, and a random view of them does as well."""
    if numbers <= MANY:
        return None
    view = torch.randn(numbers, MANY, generator=torch_stream("outliers"), dtype=torch.float64)
    return view / math.sqrt(MANY)


def _shown(effects: Tensor, view: Tensor | None) -> Tensor:
    """[classes, samples, d] -> [classes * samples, d], all of one size, in the view if there is one."""
    shown = (effects / (effects.square().mean().sqrt() + TINY)).flatten(0, 1)
    return shown if view is None else (shown.double() @ view).float()

"""A site under attack: speech, a policy of the attack's choosing, and what a server may say to its keeper.

Owns how a site, its policy and the requests to it are made. Must not know any attack.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from client.bounds import Bounds
from client.keeper import Keeper
from client.site import Site
from common.config.showing import spell
from common.features.patches import windows
from common.features.scaling import Scaling
from common.networks import Discriminator, learned_weights
from common.recognizers.methods.cnn import RECOGNIZER
from common.settings import (
    EMOTIONS,
    FeatureConfig,
    FinetuningConfig,
    NetworkConfig,
    OptimizerConfig,
    RecognizerConfig,
    RuntimeConfig,
    hash_identity,
)
from common.spaces import PATCHES
from common.synthesizers.methods.eskimez import SYNTHESIZER
from common.training.stages import Pair
from common.wire import (
    Extremes,
    Precision,
    Reply,
    Request,
    Score,
    Scoring,
    Tune,
    Tuning,
    Working,
    decode_reply,
    encode,
    weights_digest,
)

FEATURES = hash_identity(FeatureConfig().model_dump(mode="json"))
ANY = (-1e12, 1e12)
"""A bound that bounds nothing."""
LEVELS = Extremes(low=-16.125, high=5.4765625)
"""The scaling of the networks that come with eyesoff."""
WINDOW_HOP = 32
"""Frames between the windows of a scoring: the only number that the bounds grant."""
LONG = 300.0
"""Seconds: no tuning of a test takes as long."""
HELD, ELSEWHERE = "clinic", "elsewhere"
"""The session that the site holds, and the one that its recordings are compared with."""


@dataclass(frozen=True)
class Speech:
    """A folder with a table of recordings: some are the site's, others stand in for all other recordings there are."""

    folder: Path


def open_bounds(*closed: str) -> dict[str, tuple[float, float]]:
    """Bounds opened by hand, but for those that are named."""
    return {name: ANY for name in Bounds.model_fields if name not in closed}


def accepting(request: Tune, **rules: object) -> dict[str, object]:
    """A policy whose steward has accepted, by hand, the base and the recipe of this request."""
    return {"bases": [request.tuning.base], "recipes": [request.tuning.recipe.digest], **rules}


def write_policy(path: Path, rules: Mapping[str, object]) -> Path:
    """A policy file; what is not named is as the default has it."""
    tables = {name: value for name, value in rules.items() if isinstance(value, Mapping)}
    lines = [f"{name} = {spell(value)}" for name, value in rules.items() if name not in tables]
    for table, members in tables.items():
        lines += [f"[{table}]", *(f"{name} = {spell(value)}" for name, value in members.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def site(speech: Speech, folder: Path, rules: Mapping[str, object] | None = None, *, precision: str = "fp32") -> Site:
    """A site that holds the speech of one session, under the default policy but for the rules that are given."""
    return Site(
        session=HELD,
        root=speech.folder,
        holds=HELD,
        state=folder / "state",
        policy=None if rules is None else write_policy(folder / "policy.toml", rules),
        runtime=RuntimeConfig(threads=1, workers=1, device="cpu", precision=precision),
    )


def tune_request(
    pair: Pair,
    network: NetworkConfig,
    finetuning: FinetuningConfig,
    optimizer: OptimizerConfig | None = None,
    scaling: Extremes = LEVELS,
    *,
    run: str = "run-1",
) -> Tune:
    """A request to tune these networks, which ride along."""
    base = pair.learned()
    settings = SYNTHESIZER.Settings(network=network, optimizer=optimizer or OptimizerConfig(), finetuning=finetuning)
    tuning = Tuning(
        run=run,
        session=HELD,
        synthesizer=SYNTHESIZER.name,
        settings=settings.model_dump(mode="json"),
        labels=EMOTIONS,
        space=PATCHES,
        features=FEATURES,
        scaling=scaling,
        precision=Precision.FP16,
        weights=weights_digest({"base": base}),
    )
    return Tune(tuning=tuning, shipped=True, base=base)


def score_request(
    recognizer: Discriminator, run: str, fold: str, scaling: Extremes = LEVELS, *, hop: int = WINDOW_HOP
) -> Score:
    """A request to score this recognizer, over windows so many frames apart."""
    weights = learned_weights(recognizer.state_dict())
    settings = RECOGNIZER.Settings(network=recognizer.config, recognizer=RecognizerConfig(window_hop=hop, bands=128))
    scoring = Scoring(
        run=run,
        session=HELD,
        fold=fold,
        recognizer=RECOGNIZER.name,
        settings=settings.model_dump(mode="json"),
        labels=EMOTIONS,
        space=PATCHES,
        features=FEATURES,
        scaling=scaling,
        weights=weights_digest({"recognizer": weights}),
    )
    return Score(scoring=scoring, recognizer=weights)


def said(keeper: Keeper, request: Request) -> Reply:
    """The keeper's answer, as the server decodes it, once it is done with what was asked."""
    reply = decode_reply(keeper.answer(encode(request), LONG), request)
    return said(keeper, request) if isinstance(reply, Working) else reply


def elsewhere(speech: Speech, folder: Path) -> Keeper:
    """A keeper of all other recordings: what the attacker may know, and what is compared with the site's."""
    return Keeper(site(speech, folder).model_copy(update={"holds": ELSEWHERE}))


def crops(keeper: Keeper, scaling: Extremes, side: int, hop: int = 4) -> tuple[Tensor, Tensor]:
    """What only the judge of an attack may see: patches [n, side * side] that the site could show, and whose they are.

    All recordings at every `hop` frames, so that a patch cut anywhere has a near likeness among them.
    """
    scaled = Scaling(scaling.low, scaling.high)
    cut = [windows(scaled.apply(log_mel), hop) for log_mel in keeper._door.features]
    owners = torch.tensor([number for number, patches in enumerate(cut) for _ in patches])
    small = torch.nn.functional.avg_pool2d(torch.cat(cut), cut[0].shape[-1] // side)
    return small.flatten(1), owners

"""The game that every stage plays: draw, let each phase take its step in turn, report, keep.

Owns the order of things in a step and between steps. Must not know what any phase's loss means.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from common.errors import UserError
from common.networks.acceleration import Acceleration
from common.networks.allocation import freed_memory_kept
from common.networks.layers import advance_norms
from common.training.adam import Adam
from common.training.averaging import Average
from common.training.checkpoint import Part, Snapshots
from common.training.distributed import Share
from common.training.draws import Draw
from common.training.momentum import Momentum
from common.training.recording import Metrics, Recorder, recorder
from common.training.reporters import Reporter


@dataclass(frozen=True)
class Phase:
    """One turn in a step: `loss(draw, made)` moves its optimizer's parameters, all others stand still.

    Args:
        name: stands before its metrics' names and after `adam.` in a checkpoint.
        optimizer: of what it moves.
        loss: what it descends.
        rate: its learning rate at a step, where that changes.
        every: it moves in the first of so many steps.
    """

    name: str
    optimizer: Adam | Momentum
    loss: Callable[[Draw, Tensor], Metrics]
    rate: Callable[[int], float] | None = None
    every: int = 1


@dataclass(frozen=True)
class Game:
    """A stage as its phases see it.

    Args:
        stage: its name in streams, checkpoints and reports.
        networks: by name, all that a checkpoint carries.
        draw: everything that chance decides in a step.
        make: what the networks make of a draw, once, for all phases.
        phases: in the order in which they move.
        average: of the generator, if one is kept.
        picture: patches that show how far the stage has come, and how many stand in a row.
        replayable: whether a step's chances are all in its draw, so that its recording can stand for the next one.
    """

    stage: str
    networks: Mapping[str, nn.Module]
    draw: Callable[[int], Draw]
    make: Callable[[Draw], Tensor]
    phases: Sequence[Phase]
    average: Average | None = None
    picture: Callable[[], tuple[Tensor, int]] | None = None
    replayable: bool = True

    def parts(self) -> dict[str, Part]:
        """All state that outlives a step."""
        parts: dict[str, Part] = dict(self.networks)
        parts |= {f"adam.{phase.name}": phase.optimizer for phase in self.phases}
        return parts if self.average is None else parts | {"average": self.average}


@dataclass(frozen=True)
class Surroundings:
    """What stands around a stage and never changes its result."""

    acceleration: Acceleration
    share: Share = field(default_factory=Share)
    reporter: Reporter = field(default_factory=Reporter)
    snapshots: Snapshots | None = None
    report_every: int = 50
    snapshot_every: int = 1000
    stop: Callable[[], bool] = lambda: False


class Interrupted(Exception):  # noqa: N818 - nothing went wrong: somebody asked
    """The stage was asked to stop, finished its step and kept it."""

    def __init__(self, stage: str, step: int) -> None:
        super().__init__(f"stopped as asked after step {step} of {stage}; resume to go on from there")


def play(game: Game, iterations: int, around: Surroundings) -> None:
    """A stage from its first step, or from its last snapshot, to its end."""
    acceleration, share = around.acceleration, around.share
    recorded = acceleration.recorded and game.replayable and share.processes == 1
    with freed_memory_kept(), recorder(acceleration.device, recorded=recorded) as recording:
        _play(game, iterations, around, recording)


def _play(game: Game, iterations: int, around: Surroundings, recording: Recorder) -> None:
    snapshots, reporter = around.snapshots, around.reporter
    first = snapshots.restore(game.stage, game.parts()) if snapshots else 0
    around.acceleration.expect(iterations - first)
    reporter.begin(game.stage, first, iterations)
    recent: list[Metrics] = []
    for step in range(first, iterations):
        done = step + 1
        # 1. what chance decides in this step
        draw = game.draw(step)
        # 2. every phase in turn
        recent.append(take_step(game, step, draw, around, recording))
        # 3. whoever asks for a stop gets it after a whole step, in all processes at once
        report_due = done % around.report_every == 0 or done == iterations
        stopping = (report_due or around.share.processes == 1) and around.share.any(around.stop())
        keep_due = done % around.snapshot_every == 0 or done == iterations or stopping
        # 4. numbers: the only place where the processor waits for the device
        if report_due or keep_due:
            means = finite_means(recent, game.stage, done, snapshots)
            recent = []
            if around.share.leads:
                reporter.record(game.stage, done, means)
        # 5. keep what the numbers have just shown to be sound
        if keep_due:
            _keep(game, done, around)
        if stopping:
            raise Interrupted(game.stage, done)


def take_step(game: Game, step: int, draw: Draw, around: Surroundings, recording: Recorder) -> Metrics:
    """Let each phase whose turn it is move once at its rate, then let the average follow the weights."""
    moving = [phase for phase in game.phases if step % phase.every == 0]
    for phase in moving:
        if phase.rate is not None:
            phase.optimizer.rate = phase.rate(step)
    key = tuple((phase.name, phase.optimizer.rate) for phase in moving)
    metrics = recording.do(key, lambda draw: move(game, moving, draw, around), draw)
    if game.average is not None:
        game.average.update(step)
    return metrics


def move(game: Game, moving: Sequence[Phase], draw: Draw, around: Surroundings) -> Metrics:
    """Make once, let these phases descend their losses, then let norms follow the weights: all that a device does."""
    metrics: Metrics = {}
    _train_only(game.phases, game.phases)
    with around.acceleration.autocast():
        made = game.make(draw)
    for phase in moving:
        _train_only([phase], game.phases)
        phase.optimizer.forget_gradients()
        with around.acceleration.autocast():
            shown = phase.loss(draw, made)
        shown["loss"].backward()
        around.share.average(gradients(phase))
        phase.optimizer.step()
        metrics |= {f"{phase.name}/{name}": value.detach() for name, value in shown.items()}
    for network in game.networks.values():
        advance_norms(network)
    return metrics


def gradients(phase: Phase) -> list[Tensor]:
    """What backward left for a phase's optimizer."""
    return [parameter.grad for parameter in phase.optimizer.parameters if parameter.grad is not None]


def _train_only(moving: Sequence[Phase], phases: Sequence[Phase]) -> None:
    """No gradient is computed for a network whose turn it is not; one may have a turn in several phases."""
    for phase in phases:
        for parameter in phase.optimizer.parameters:
            parameter.requires_grad_(False)
    for phase in moving:
        for parameter in phase.optimizer.parameters:
            parameter.requires_grad_(True)


def finite_means(recent: Sequence[Metrics], stage: str, done: int, snapshots: Snapshots | None) -> dict[str, float]:
    """Each metric's mean over the recent steps; the first step that was not finite ends the run."""
    named = [(step, name) for step, metrics in enumerate(recent, done - len(recent) + 1) for name in metrics]
    numbers = torch.stack([value.float() for metrics in recent for value in metrics.values()]).tolist()
    columns: dict[str, list[float]] = {}
    for (step, name), number in zip(named, numbers, strict=True):
        if not math.isfinite(number):
            kept = snapshots.stored(stage) if snapshots else []
            raise UserError(
                f"{name} is not finite at step {step} of {stage}",
                where=f"last good snapshot {kept[-1]}" if kept else "no snapshot yet",
                remedy="start a new run with smaller learning rates, or resume with runtime.precision=fp32",
            )
        columns.setdefault(name, []).append(number)
    return {name: sum(column) / len(column) for name, column in columns.items()}


def _keep(game: Game, done: int, around: Surroundings) -> None:
    if not around.share.leads:
        return
    if around.snapshots:
        around.snapshots.save(game.stage, done, game.parts())
    if game.picture:
        around.reporter.show(game.stage, done, *game.picture())

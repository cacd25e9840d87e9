"""The tunings of a campaign with nothing around them: no Flower, no Ray, no keeper, no snapshot, no file.

Owns the processes that tune and the clock over them. Must not keep what is tuned, only what it hashes to.
"""

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

from client.bases import read_base
from client.dice import read_dice
from client.door import Door, scaling_of
from client.simulated import simulated_site
from client.tuning import examples_of, seed_of
from common.config import Config
from common.networks import Acceleration
from common.synthesizers import Fitting
from common.training.phases import Surroundings
from common.training.pretrained import load_pretrained
from common.wire import distilled_weights, released_weights, weights_digest
from server.requests import Requests

READY_SECONDS = 600.0
"""Longest wait for all processes to have their features and networks in memory."""


@dataclass(frozen=True)
class Workplace:
    """Sites whose sessions are tuned, the configuration and the pre-trained networks."""

    sites: Path
    config: Config
    base: Path


def bare_loop(workplace: Workplace, numbers: Sequence[int], at_once: int) -> tuple[float, dict[str, str]]:
    """Seconds that tuning these sites takes, so many at a time, and what the generator of each session hashes to.

    Processes are up and hold what they need before the clock starts; whichever is free takes the next site.
    """
    for number in numbers:
        Door(simulated_site(workplace.sites, number)).holdings()  # once, here: no process waits for another's
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(at_once)
    with ProcessPoolExecutor(at_once, context, Worker.enter, (workplace, tuple(numbers), barrier)) as processes:
        list(processes.map(Worker.wait_for_all, range(at_once)))
        start = time.perf_counter()
        generators = dict(processes.map(Worker.tune_here, numbers))
        return time.perf_counter() - start, generators


class Worker:
    """What one process holds."""

    here: "Worker"

    def __init__(self, workplace: Workplace, numbers: Sequence[int], barrier: Barrier) -> None:
        self._barrier = barrier
        config = workplace.config
        base = load_pretrained(workplace.base, config.network, config.features, config.corpus.classes)
        self._requests = Requests(config.campaign_name(), config, base, per_speaker=False)
        self._base = read_base(workplace.base)  # as a keeper would find it
        self._sites = {number: simulated_site(workplace.sites, number) for number in numbers}
        self._doors = {number: Door(site) for number, site in self._sites.items()}
        for door in self._doors.values():
            door.holdings()

    def tune(self, number: int) -> tuple[str, str]:
        """A session's name, and what its release hashes to as it would be sent."""
        site = self._sites[number]
        tuning = self._requests.tuning(site.session)
        door = self._doors[number]
        seed, acceleration = seed_of(tuning, read_dice(site.secret), door), Acceleration.of(site.runtime)
        features, scaling = door.features_in(tuning.space), scaling_of(tuning.space, tuning.scaling)
        fitting = Fitting(
            examples_of(tuning, door, features, scaling, seed, lambda: False),
            self._base.weights,
            tuning.labels,
            tuning.space,
            seed,
            Surroundings(acceleration),
        )
        with acceleration.entered():
            released = tuning.method.fit(fitting, tuning.own)
            smaller = distilled_weights(tuning, released, self._base.weights, (), seed, fitting.around)
            left = released_weights(tuning, smaller, self._base.weights, seed)
        sent = {name: weight.to(tuning.precision_of(name).dtype) for name, weight in left.items()}
        return site.session, weights_digest({"released": sent})

    @classmethod
    def enter(cls, workplace: Workplace, numbers: Sequence[int], barrier: Barrier) -> None:
        """Begin a process."""
        cls.here = cls(workplace, numbers, barrier)

    @classmethod
    def wait_for_all(cls, _: int) -> None:
        """Until every process is here."""
        cls.here._barrier.wait(READY_SECONDS)

    @classmethod
    def tune_here(cls, number: int) -> tuple[str, str]:
        """In whichever process it falls to."""
        return cls.here.tune(number)

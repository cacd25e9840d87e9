"""The guided tours: for each kind of user, the few commands that show what eyesoff is to them.

Owns the steps, their words and how they are run. Must not know what a command does: each runs as a person would type
it, in a folder of the tour's own.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TABLE = "table --root recordings/recordings.csv"
BEST = f"--preset best --corpus {TABLE}"


@dataclass(frozen=True)
class Step:
    """What a command does, in a sentence or two, and the command."""

    says: str
    command: str


@dataclass(frozen=True)
class Tour:
    """The way of one kind of user.

    Args:
        about: who that is and what the tour shows.
        steps: in their order; each may read what those before it wrote.
        next: the page to go on with, by its place in the repository.
    """

    about: str
    steps: tuple[Step, ...]
    next: str


EXAMPLE = Step(
    "This writes eighty recordings and a table of them. A program made the voices. "
    "Your own recordings have the same form.",
    "eyesoff corpus example recordings",
)
CAMPAIGN = Step(
    "Each of five sessions is a site. Each site fits a generator to its own recordings, and the generator alone leaves "
    "it. The table tells what a recognizer learns from the generators, and from the recordings.",
    f"eyesoff simulate {BEST} --backend serial --run runs/campaign",
)
BANK = Step(
    "This is all that left the sites: one file for each, and no recording.",
    "eyesoff bank list runs/campaign/bank",
)
MODEL = "runs/later/recognizers/everyone/model"
SITE = "runs/campaign/sites/Session1/site.toml"
LEDGER = "runs/campaign/sites/Session1/state/ledger.jsonl"

TOURS: Mapping[str, Tour] = {
    "newcomer": Tour(
        "You are new here. You see speech stay where it is, and a recognizer come out all the same.",
        (
            EXAMPLE,
            Step("This counts what is there, by session and emotion.", f"eyesoff corpus describe {TABLE}"),
            CAMPAIGN,
            BANK,
            Step(
                "This trains a recognizer from the bank alone, as if the recordings were deleted.",
                "eyesoff bootstrap --preset best --bank runs/campaign/bank --run runs/later",
            ),
            Step(
                "The recognizer names the emotion of each recording in a folder.",
                f"eyesoff recognize {MODEL} recordings/Session1",
            ),
        ),
        "docs/tutorial.md",
    ),
    "researcher": Tour(
        "You have a labelled corpus. You see what synthetic speech is worth on it.",
        (
            EXAMPLE,
            Step("This lists the methods, and what of each leaves the data.", "eyesoff synthesizers"),
            Step(
                "This trains on real vectors, on those of one Gaussian of all sessions, and on those of one a session. "
                "Each session is the test part once.",
                f'eyesoff compare {BEST} --modes "real,gaussian,gaussian federated" --run runs/comparison',
            ),
            Step(
                "The page has the answer first, then pairs, errors and settings. It needs no network.",
                "eyesoff report runs/comparison",
            ),
            Step("These settings define the result. Any of them can be changed.", "eyesoff config show --preset best"),
        ),
        "docs/how-to/compare.md",
    ),
    "engineer": Tour(
        "You must train on speech that you may not see. You see a campaign, and what a deployment needs.",
        (
            EXAMPLE,
            CAMPAIGN,
            Step(
                "This reads every release again and names each that was changed.",
                "eyesoff bank verify runs/campaign/bank",
            ),
            Step(
                "A campaign that was stopped goes on. This one is complete, so nothing is done again.",
                f"eyesoff simulate {BEST} --backend serial --run runs/campaign --resume",
            ),
            Step(
                "This writes certificates, keys, policies and settings for a server and two sites.",
                "eyesoff deploy init deployment --site clinic --site lab",
            ),
        ),
        "docs/how-to/deploy.md",
    ),
    "steward": Tour(
        "You answer for a site's speech. You see what left, what may leave, and how to check it.",
        (
            EXAMPLE,
            CAMPAIGN,
            Step("The site's own record: each request, each answer, each refusal.", f"eyesoff ledger show {LEDGER}"),
            Step(
                "This follows the chain of hashes. Note the head: it shows later that nothing was taken away.",
                f"eyesoff ledger verify {LEDGER}",
            ),
            Step(
                "What the site holds, its policy in words, and what is left of each quota.",
                f"eyesoff keeper status --site {SITE}",
            ),
            Step(
                "This lists finished releases. A policy can make each of them wait for you.",
                f"eyesoff keeper inbox --site {SITE}",
            ),
            Step(
                "The month on one page, for your files: what left and to which run, refusals, what is left to give.",
                f"eyesoff ledger month --site {SITE} --page month.html",
            ),
            Step(
                "This writes a folder for a real site. Its policy has every rule with its meaning.",
                "eyesoff deploy init deployment --site clinic",
            ),
        ),
        "containers/STEWARD.md",
    ),
    "modeller": Tour(
        "You have generators and no speech. You see a training set and a recognizer come out of them.",
        (
            EXAMPLE,
            CAMPAIGN,
            Step(
                "This packs the generators. The file is all that you get.",
                "eyesoff bank export runs/campaign/bank generators.zip",
            ),
            Step("The file is a bank itself.", "eyesoff bank list generators.zip"),
            Step(
                "This draws a training set: 100 samples of each emotion, as a table.",
                "eyesoff sample generators.zip --number 100 --format parquet --out training",
            ),
            Step(
                "This trains a recognizer from the file.",
                "eyesoff bootstrap --preset best --bank generators.zip --run runs/later",
            ),
            Step("This tells what the model is and what it was trained on.", f"eyesoff model show {MODEL}"),
        ),
        "docs/how-to/bank.md",
    ),
}


def lines_of(tour: Tour) -> list[str]:
    """All of a tour as text, for a reader or a pipe."""
    told = [tour.about]
    for number, step in enumerate(tour.steps, start=1):
        told += ["", f"{number}. {step.says}", f"   {step.command}"]
    return told


def run_step(step: Step, folder: Path) -> int:
    """Run its command in a folder, on this process's own streams; the answer is its exit status."""
    words = shlex.split(step.command)[1:]
    root = Path(__file__).parents[1]  # so that it also runs where eyesoff is not installed
    paths = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-m", "simulations.cli", *words]
    return subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": paths}, check=False).returncode


def page() -> str:
    """The tours in Markdown, for the documentation."""
    told = [
        "# Tours",
        "",
        "A tour is a few commands in their order. `eyesoff tour NAME` prints one, and with `--run` also runs it. "
        "It runs on recordings that a program made. You need no speech and no network.",
        "",
    ]
    for name, tour in TOURS.items():
        told += [f"## {name}", "", tour.about, "", "```bash", f"eyesoff tour {name} --run", "```", ""]
        for step in tour.steps:
            told += [step.says, "", "```bash", step.command, "```", ""]
        there = "steward.md" if tour.next.endswith("STEWARD.md") else tour.next.replace("docs", "..", 1)
        told += [f"[Go on from here]({there})", ""]
    return "\n".join(told)

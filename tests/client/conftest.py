"""A site's gate on a clock that the test winds; a site with recordings of noise, its keeper, and requests to it."""

import threading
import tomllib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest
import soundfile
import torch

from client.bounds import Bounds
from client.gate import Gate
from client.keeper import Keeper
from client.ledger import Ledger
from client.policy import Policy
from client.rules import Holdings
from client.service import KeeperServer, RemoteKeeper
from client.site import Site
from common.config.showing import spell
from common.features.extractor import LogMel
from common.features.scaling import Scaling
from common.settings import EMOTIONS, FeatureConfig, hash_identity
from common.synthesizers import SYNTHESIZERS
from common.wire import Tune, Tuning, decode_reply, encode
from tests.client.audited import LIMITS, TinySettings, method


def with_setting(tuning, section, **changed):
    """A tuning in which some settings of its synthesizer are others."""
    settings = tuning.settings | {section: tuning.settings[section] | changed}
    return tuning.model_copy(update={"settings": settings})


class Clock:
    """Stands still until it is wound."""

    def __init__(self):
        self.now = datetime(2030, 1, 31, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def wind(self, **time):
        self.now += timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "site" / "ledger.jsonl")


@pytest.fixture
def holdings(tune):
    tuning = tune.tuning
    numbers = {"utterances": (9, 8, 7, 6), "speakers": (2, 2, 2, 2)}
    return Holdings(tuning.session, tuning.labels, tuning.features, **numbers, speech="first")


@pytest.fixture(scope="session")
def granting(tune, ask_to_tune):
    """What a policy must say, beside the default, to grant the small and short tunings of these tests."""
    recipes = [
        with_setting(tuning, "finetuning", iterations=steps).recipe
        for tuning in (tune.tuning, ask_to_tune().tuning)
        for steps in range(12)
    ]
    return {
        "bases": [tune.tuning.base],
        "recipes": [recipe.digest for recipe in recipes],
        "minimum_test_utterances": 1,
        "scoring_epsilon": "exact",
        "scorings_in_all": 100,
        "bounds": dict.fromkeys(Bounds.model_fields, (-1000000000000.0, 1000000000000.0)),
    }


@pytest.fixture
def gate_of(ledger, holdings, clock, granting):
    """A gate whose policy differs from one that grants these tests' tunings in what is given."""

    def make(*, audits=(), held=holdings, bounds=None, **policy):
        given = granting | policy | {"bounds": granting["bounds"] | (bounds or {})}
        return Gate(Policy(**given), held, ledger, clock=clock, audits=audits)

    return make


@pytest.fixture(scope="session")
def with_policy(granting):
    """A site under a policy that grants these tests' tunings and says what is given beside."""

    def make(site, text=""):
        rules = {**granting, **tomllib.loads(text)}
        bounds, audit = granting["bounds"] | rules.pop("bounds", {}), rules.pop("audit", {})
        path = site.state.parent / "policy.toml"
        lines = [f"{name} = {spell(value)}" for name, value in rules.items()]
        for table, numbers in {"audit": audit, "bounds": bounds}.items():
            lines += [f"[{table}]", *(f"{name} = {spell(value)}" for name, value in numbers.items())]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines))
        return site.model_copy(update={"policy": path})

    return make


def write_recording(path, seed):
    """Half a second of noise as a recording; the answer is its samples."""
    samples = (np.random.default_rng(seed).normal(size=9000) * 3000).astype(np.int16)
    soundfile.write(path, samples, 16000)
    return samples


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    """A table of recordings: session 03+08, two speakers, four emotions, three utterances of each."""
    folder = tmp_path_factory.mktemp("speech")
    rows = ["path,emotion,session,speaker"]
    for number, (speaker, emotion, _) in enumerate(product(("03", "08"), EMOTIONS, range(3))):
        write_recording(folder / f"{number:02d}.wav", number)
        rows.append(f"{number:02d}.wav,{emotion},03+08,{speaker}")
    (folder / "recordings.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture
def site(speech, tmp_path, with_policy):
    """A site that holds the recordings, under a policy that grants these tests' tunings, on one thread."""
    return with_policy(Site(session="03+08", root=speech, state=tmp_path / "state"))


@pytest.fixture
def keeper(site):
    keeper = Keeper(site)
    yield keeper
    keeper.stop()


@pytest.fixture(scope="session")
def ask_to_tune(tune):
    """A request that a site with the default features grants, changed in what is given."""
    features = hash_identity(FeatureConfig().model_dump(mode="json"))

    def make(*, iterations=2, **changed):
        tuning = with_setting(tune.tuning, "finetuning", iterations=iterations, batch=2)
        terms = tuning.model_dump() | {"features": features} | changed
        return tune.model_copy(update={"tuning": Tuning(**terms)})

    return make


@pytest.fixture
def install(monkeypatch):
    """Add a synthesizer to those of this installation, or put it in the place of one."""

    def make(method):
        found = {**SYNTHESIZERS.methods, method.name: method}
        monkeypatch.setitem(SYNTHESIZERS.__dict__, "_found", (found, ()))

    return make


@pytest.fixture(scope="session")
def order(ask_to_tune):
    """A request for a synthesizer that starts from no networks."""

    def make(name, settings, **changed):
        terms = ask_to_tune().tuning.model_dump() | {"synthesizer": name, "weights": None}
        tuning = Tuning.model_validate(terms | {"settings": settings.model_dump(mode="json")} | changed)
        return Tune(tuning=tuning, shipped=False, base={})

    return make


@pytest.fixture(scope="session")
def ask_to_score(score, ask_to_tune):
    """The same for a scoring."""
    features = ask_to_tune().tuning.features

    def make(**changed):
        return score.model_copy(update={"scoring": score.scoring.model_copy(update={"features": features} | changed)})

    return make


@pytest.fixture(scope="session")
def said():
    """What a keeper says to a request, decoded as the server decodes it."""

    def say(keeper, request, patience=0.0):
        return decode_reply(keeper.answer(encode(request), patience), request)

    return say


@pytest.fixture(scope="session")
def served():
    """A keeper at a socket while a block runs, and the way to it."""

    @contextmanager
    def serve(path, keeper):
        over = threading.Event()
        with KeeperServer(path, keeper) as server:
            server.timeout = 0.01
            thread = threading.Thread(target=server.serve_until, args=(over.is_set,))
            thread.start()
            try:
                yield RemoteKeeper(path, longest=250.0)
            finally:
                over.set()
                thread.join()

    return serve


class Flower:
    """Messages and contexts as Flower's runtime would make them."""

    def request(self, data, kind="query"):
        from flwr.app import Array, ArrayRecord, RecordDict

        array = Array(np.frombuffer(data, dtype=np.uint8))
        return self.message(RecordDict({"eyesoff": ArrayRecord({"message": array})}), kind)

    def message(self, content, kind="query"):
        from flwr.app import Message

        made = Message(content, dst_node_id=7, message_type=kind)
        made.metadata.__dict__["_message_id"] = "x"  # which a reply names
        return made

    def node(self, run="", **settings):
        from flwr.app import Context, RecordDict

        return Context(run_id=1, node_id=7, node_config=settings, state=RecordDict(), run_config={"run": str(run)})


@pytest.fixture
def flower(monkeypatch):
    """Flower without its runtime."""
    identity = pytest.importorskip("flwr.supercore.task_identity", reason="Flower is an extra").TaskIdentity
    for name in ("_run_id", "_node_id", "_task_id"):
        monkeypatch.setattr(identity, name, 1)
    return Flower()


MARK = "PATIENT-7"
"""Stands in the name of every recording and speaker of the marked site."""
RUN = 16
"""So many samples in a row, or so many numbers of a log-mel, are a find."""


@pytest.fixture(scope="session")
def marker():
    """Samples that nothing else in the world should hold."""
    return (np.random.default_rng(2030).normal(size=16_000) * 5000).astype(np.int16)


@pytest.fixture(scope="session")
def marked_site(marker, tmp_path_factory, with_policy):
    """A site that holds the marker once for each emotion, among other recordings."""
    folder = tmp_path_factory.mktemp("marked")
    rows = ["path,emotion,session,speaker"]
    for number, emotion in enumerate(6 * EMOTIONS):
        soundfile.write(folder / f"{MARK}-{number}.wav", marker if number < 4 else marker[::-1] // number, 16000)
        rows.append(f"{MARK}-{number}.wav,{emotion},03+08,{MARK}-{number % 3}")
    (folder / "recordings.csv").write_text("\n".join(rows))
    return with_policy(Site(session="03+08", root=folder, state=tmp_path_factory.mktemp("site") / "state"))


@pytest.fixture(scope="session")
def marked_keeper(marked_site):
    keeper = Keeper(marked_site)
    yield keeper
    keeper.stop()


def runs(numbers):
    """Every run of so many numbers in a row, as bytes; silence, which is everywhere, left out."""
    parts = (numbers[start : start + RUN] for start in range(len(numbers) - RUN + 1))
    return {part.tobytes() for part in parts if len(set(part.tolist())) > 1}


@pytest.fixture(scope="session")
def traces(marker):
    """What to look for, by what it is: the marker's samples and its features, in every number format in use."""
    samples = marker.astype("f4") / 32768
    log_mels = LogMel(FeatureConfig())(torch.from_numpy(samples)).numpy()
    patches = Scaling(-16.0, 5.5).apply(log_mels).numpy()
    found = {"name": {MARK.encode()}, "int16 samples": runs(marker)}
    for kind in ("f2", "f4"):
        found[f"{kind} samples"] = runs(samples.astype(kind))
        for name, picture in (("log-mels", log_mels), ("patches", patches)):
            lines = [*picture.astype(kind), *np.ascontiguousarray(picture.T).astype(kind)]
            found[f"{kind} {name}"] = set().union(*map(runs, lines))
    return found


@pytest.fixture(scope="session")
def finds(traces):
    """The names of the traces that are among some bytes, at any place in them."""

    def find(data):
        data = bytes(data)
        return {name for name, needles in traces.items() if any(part in needles for part in _parts(data, needles))}

    return find


def _parts(data, needles):
    size = len(next(iter(needles)))
    return (data[start : start + size] for start in range(len(data) - size + 1))


@pytest.fixture
def keeper_of(install, order, site, with_policy):
    """A keeper of a site where this synthesizer is installed and accepted, and a request for it."""

    def make(sampler, rule, text=LIMITS):
        install(method(sampler))
        request = order("tiny", TinySettings())
        recipes = f'recipes = ["{request.tuning.recipe.digest}"]'
        own = with_policy(site, f'{recipes}\nrelease = "{rule}"\n{text}')
        return Keeper(own), request, own

    return make

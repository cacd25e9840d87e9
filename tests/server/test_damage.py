"""A campaign that is resumed in a folder whose files a disk or a hand has altered: a clear line, or as if new."""

import json
import shutil

import pytest

from common.errors import UserError
from common.training.pretrained import save_pretrained
from server.run import EVENTS, LOCK, Order, open_run, run_campaign


def every_key(change):
    """The file once for each of its keys, changed there."""

    def damaged(content):
        try:
            whole = json.loads(content)
        except ValueError:
            return
        for key in whole:
            yield json.dumps(change(dict(whole), key)).encode()

    return damaged


def dropped(whole, key):
    return {name: value for name, value in whole.items() if name != key}


DAMAGES = {
    "cut": lambda content: [content[: len(content) // 2]],
    "of another kind": lambda content: [b'{"a": 1}'],
    "empty": lambda content: [b""],
    "a list": lambda content: [b"[1]"],
    "a number": lambda content: [b"3"],
    "null": lambda content: [b"null"],
    "no text": lambda content: [b"\xff\xfe\x00"],
    "other numbers": lambda content: [content.replace(b"1", b"7").replace(b"2", b"-7.5")],
    "other words": lambda content: [content.replace(b"A", b"").replace(b"everyone", b"nobody")],
    "a key less": every_key(dropped),
    "a key of another kind": every_key(lambda whole, key: whole | {key: [{"a": 1}]}),
}
QUICK = ("cut", "of another kind")


@pytest.fixture(scope="module")
def order(tmp_path_factory, config, base):
    folder = tmp_path_factory.mktemp("weights")
    save_pretrained(folder, base.pair, base.scaling, config.identity(), {})
    return Order("run", str(folder), "a1b2", 2, "everyone")


@pytest.fixture(scope="module")
def done(tmp_path_factory, config, order, clients_of):
    """A folder in which a campaign came to its end, and its results."""
    run = tmp_path_factory.mktemp("done") / "run"
    return run, campaign_in(run, config, order, clients_of)


def campaign_in(run, config, order, clients_of):
    """As the command line does it: the folder is opened first."""
    open_run(run, config, order, resume=True)
    return run_campaign(run, clients_of(2))


def own_files(folder):
    """All that a campaign reads again, but the weights, which have hashes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".safetensors")
    return [path.relative_to(folder).as_posix() for path in files if path.name != LOCK]


@pytest.mark.parametrize(
    "damage", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in DAMAGES]
)
def test_a_damaged_file_ends_in_a_clear_line_or_is_made_anew(done, config, order, clients_of, tmp_path, damage):
    folder, sound = done
    names = own_files(folder)
    assert {"campaign.json", "config.toml", "order.json", EVENTS, "counts/everyone.json"} < set(names)
    assert {name.partition("/")[0] for name in names} > {"bank", "recognizers"}
    damaged = [(name, content) for name in names for content in DAMAGES[damage]((folder / name).read_bytes())]
    for number, (name, content) in enumerate(damaged):
        run = shutil.copytree(folder, tmp_path / str(number))
        (run / name).write_bytes(content)
        try:
            results = campaign_in(run, config, order, clients_of)
        except UserError as error:
            assert str(error).strip(), name
        else:
            assert results["folds"] == sound["folds"], name
            assert results["sessions"] == sound["sessions"], name

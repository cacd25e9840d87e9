"""Results are read as they were written, those of the version before too; what cannot be read names its remedy."""

import json
from pathlib import Path

import pytest

from common.errors import UserError
from simulations.comparison.schema import OLDEST, SCHEMA, Results, plain, read_results, write_results

ROOT = Path(__file__).parents[3]
BARE = Results("emodb", "demo", "0123456789ab", ["sad", "happy"], [0], {}, command="eyesoff compare --seeds 1")


def test_results_are_read_from_the_run_or_the_file(whole):
    results, folder = whole
    assert plain(read_results(folder)) == results
    assert read_results(folder) == read_results(folder / "results.json")


def test_what_is_written_is_read_again(tmp_path):
    write_results(tmp_path, BARE)
    assert read_results(tmp_path) == BARE


@pytest.mark.parametrize("run", sorted(ROOT.glob("results/*/results.json")), ids=lambda run: run.parent.name)
def test_every_stored_run_is_read_whatever_its_schema(run):
    stored, read = json.loads(run.read_text()), read_results(run)
    assert stored["schema"] in (OLDEST, SCHEMA)
    assert read.schema == SCHEMA
    assert read.wall == stored.get("wall", stored["seconds"].get("wall"))
    assert "wall" not in read.seconds
    for name, mode in stored["modes"].items():
        assert read.modes[name].scores["uar"].mean == mode["uar"]["mean"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"schema": SCHEMA + 1}, f"results of schema {SCHEMA + 1}, not {SCHEMA}: .*`eyesoff compare`"),
        ({"schema": 1, "modes": {}}, f"results of schema 1, not {SCHEMA}: .*`eyesoff simulate --resume`"),
        ({"schema": 3, "command": "eyesoff compare --seeds 3"}, "anew.*: `eyesoff compare --seeds 3`"),
        ("{", "results that cannot be read"),
        ({"schema": SCHEMA}, "results that cannot be read"),
        ({"schema": OLDEST}, "results that cannot be read"),
        (plain(BARE) | {"modes": {"real": {"about": "x"}}}, "results that cannot be read"),
        ([], "results that cannot be read"),
        (None, "no results"),
    ],
)
def test_a_file_of_another_version_or_none_is_one_line_with_the_command_that_makes_it_anew(tmp_path, content, reason):
    if content is not None:
        (tmp_path / "results.json").write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(UserError, match=reason) as told:
        read_results(tmp_path)
    assert "\n" not in str(told.value)

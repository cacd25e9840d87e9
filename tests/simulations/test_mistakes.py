"""What a person gets wrong, as it was met by five kinds of new user: one line, status 2, and a remedy that works.

A remedy works if the command that it names can be typed, and if the line that `mended` holds then runs.
"""

import re
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
import soundfile
from click import UsageError

from simulations import cli
from tests.test_readme import type_it


@dataclass(frozen=True)
class Mistake:
    """What is typed, what is said of it, and what may be typed instead."""

    words: str
    says: str
    mended: str = ""


SETTINGS = (
    Mistake("config show --preset dmeo", "choose one of demo", "config show --preset demo"),
    Mistake("config show --preset demo --config mine.toml", "give one of them", "config show --config mine.toml"),
    Mistake("config show --config nowhere.toml", "nowhere.toml"),
    Mistake("config check nowhere.toml", "nowhere.toml", "config check mine.toml"),
    Mistake("config check broken.toml", "broken.toml"),
    Mistake("config check folder", "folder"),
    Mistake("config show --set finetuning.iteration=5", "iterations", "config show --set finetuning.iterations=5"),
    Mistake("config show --set finetuning.iterations", "section.key=value"),
    Mistake("config show --set nothing.here=1", "nothing"),
    Mistake("config show --set features.mels=64", "no such setting"),
    Mistake("config show --set finetuning.iterations=many", "iterations"),
    Mistake("config show --set network=3", "network: a section, not a setting"),
    Mistake("config show --set corpus.skew=-1", "corpus.skew: must be 'none', or must be above 0 (given: -1)"),
)
TYPED = (
    Mistake("frobnicate", "No such command 'frobnicate'"),
    Mistake("config show --presett demo", "--preset", "config show --preset demo"),
    Mistake("compare --seeds 0", "1<=x<=100"),
    Mistake("bootstrap", "--bank"),
    Mistake("recognize", "MODEL"),
    Mistake("tour pilot", "newcomer", "tour newcomer"),
    Mistake("tour newcomer --in there", "--run"),
    Mistake("tour newcomer --run --in mine.toml", "cannot make the folder"),
    Mistake("bench features --seconds nan", "nan is not a finite number"),
    Mistake("bench federation --seconds-per-tuning nan", "nan is not a finite number"),
    Mistake("keeper status", "--socket"),
)
CORPORA = (
    Mistake("corpus describe emo-db", "emodb"),
    Mistake("corpus describe emodb", "--root"),
    Mistake("corpus describe emodb --root nowhere", "nowhere"),
    Mistake("corpus describe iemocap --root emodb", "emodb", "corpus describe emodb --root emodb"),
    Mistake("corpus describe table --root two", "name one of", "corpus describe table --root two/a.csv"),
    Mistake("corpus describe table --root columns.csv", "no column session"),
    Mistake("corpus describe table --root empty.csv", "no column"),
    Mistake("corpus describe table --root gone.csv", "gone.wav", "corpus describe table --root gone.csv --skip-bad"),
    Mistake("corpus describe table --root labels.csv --option anger", "key=value"),
    Mistake("corpus describe table --root labels.csv --option angry=sad --option sad=angry", "angry"),
    Mistake("corpus describe table --root labels.csv --option a=sad --option a=angry", "is given twice: a=sad"),
    Mistake("corpus describe table --root labels.csv --option A=sad --option a=angry", "a label is mapped twice: A, a"),
    Mistake("corpus describe table --root labels.csv --option root=3", "'3' is no label"),
    Mistake("corpus describe table --root labels.csv --option emotions=3", "'3' is no label"),
    Mistake("corpus describe emodb --root emodb --option progress=3", "progress: no such option"),
    Mistake("corpus describe table --root labels.csv --emotions angry,sad,angry", "named twice: angry"),
    Mistake("corpus example folder", "choose an empty one"),
    Mistake("corpus example mine.toml/new", "cannot write the recordings"),
    Mistake("simulate --corpus emodb --run new", "--root"),
    Mistake("compare --preset privacy --modes real --set release.summed=true --run new", "the row `gaussian summed`"),
    Mistake("pretrain --root nowhere --run new", "nowhere"),
)
BANKS = (
    Mistake("bank list nowhere", "no such bank", "bank list run/bank"),
    Mistake("bank list run", "did you mean", "bank list run/bank"),
    Mistake("bank list mine.toml", "not a bank"),
    Mistake("bank list other.zip", "without releases"),
    Mistake("bank verify nowhere", "no such bank", "bank verify run/bank"),
    Mistake("bank show run/bank nobody", "eyesoff bank list"),
    Mistake("bank remove run/bank", "--quarantined"),
    Mistake("bank export run/bank other.zip", "name one that does not", "bank export run/bank new.zip"),
    Mistake("sample nowhere --out new", "nowhere"),
    Mistake("sample run/bank --out run/bank", "choose another folder"),
    Mistake("sample run/bank --emotion angry --out new", "leave out --emotion", "sample run/bank --number 1 --out new"),
    Mistake("sample run/bank --format csv --out new", "npz, parquet"),
    Mistake("bootstrap --bank nowhere --run new", "no such bank"),
    Mistake("bootstrap --bank folder --run new", "not a bank"),
    Mistake("audit nowhere", "no such bank"),
    Mistake("bank export run/bank mine.toml/new.zip", "Not a directory"),
    Mistake("sample run/bank --latent-scale nan --out new", "not a finite number"),
)
MODELS = (
    Mistake("recognize nowhere a.wav", "no such model"),
    Mistake("recognize mine.toml a.wav", "a model is a folder"),
    Mistake("recognize folder a.wav", "not a model"),
    Mistake("recognize run a.wav --csv --json", "give one of them"),
    Mistake("recognize run a.wav --device tpu", "choose auto, cpu, cuda"),
    Mistake("model show nowhere", "no such model"),
    Mistake("model export nowhere new --to onnx", "no such model"),
    Mistake("report nowhere", "nowhere"),
    Mistake("report folder", "folder"),
    Mistake("ledger show nowhere.jsonl", "nowhere.jsonl"),
    Mistake("ledger show ledger.jsonl --csv --json", "give one of them", "ledger show ledger.jsonl --csv"),
    Mistake("ledger show ledger.jsonl --since 2026-11-02 --until 2026-11-01", "is before --since 2026-11-02"),
    Mistake("ledger verify ledger.jsonl --head 3f2a", "64 hexadecimal digits", "ledger verify ledger.jsonl"),
    Mistake("features list --option layer", "key=value"),
    Mistake("features list --set functional", "functionals", "features list --set functionals"),
)
RUNS = (
    Mistake("simulate --backend slurm --run new", "ray, serial"),
    Mistake("compare --backend slurm --run new", "processes, ray"),
    Mistake("compare --modes real,reel --run new", "no such mode: reel; there are real"),
    Mistake("compare --modes baseline,federated,reel --run new", "baseline federated"),
    Mistake("compare --protocol loso --run new", "leave-one-session-out"),
    Mistake("compare --ablate everything --run new", "everything"),
    Mistake("simulate --set network.width=0.25 --backend serial --run new", "--base"),
    Mistake("simulate --preset best --backend serial --run folder", "choose an empty one"),
    Mistake("deploy check nowhere", "nowhere"),
)
MISTAKES = (*SETTINGS, *TYPED, *CORPORA, *BANKS, *MODELS, *RUNS)


@pytest.fixture
def place(tmp_path, monkeypatch, release_file):
    """A folder with whatever the mistakes name; `run/bank` holds one release."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("seed = 3\n")
    (tmp_path / "broken.toml").write_text("seed = \n")
    for folder in ("folder", "two", "emodb/wav"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "folder" / "thesis.tex").write_text("no run")
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    soundfile.write(tmp_path / "a.wav", noise, 16_000)
    soundfile.write(tmp_path / "emodb" / "wav" / "03a01Wa.wav", noise, 16_000)
    table = "path,emotion,session\n{0},angry,monday\n"
    (tmp_path / "labels.csv").write_text(table.format("a.wav"))
    (tmp_path / "gone.csv").write_text(table.format("a.wav") + "gone.wav,angry,monday\n")
    (tmp_path / "columns.csv").write_text("path,emotion\na.wav,angry\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ledger.jsonl").write_text("")
    for name in ("a", "b"):
        (tmp_path / "two" / f"{name}.csv").write_text(table.format("../a.wav"))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("thesis.tex", "no bank")
    return tmp_path


@pytest.fixture
def type_in(capfd):
    """The status, standard output and standard error of a line."""

    def run(line):
        with pytest.raises(SystemExit) as left:
            cli.main(line.split())
        return left.value.code or 0, *capfd.readouterr()

    return run


def test_there_are_at_least_forty():
    assert len({one.words for one in MISTAKES}) == len(MISTAKES) >= 40


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.words)
def test_a_mistake_is_one_line_with_a_remedy_that_works(mistake, place, type_in):
    status, told, complaint = type_in(mistake.words)
    first, *problems = complaint.splitlines()
    assert (status, told) == (2, "")
    assert first.startswith("error: ")
    assert all(line.startswith("  - ") for line in problems)
    assert mistake.says in complaint
    for command in re.findall(r"`(eyesoff [^`]+?)(?: --help)?`", complaint):
        _type(command)
    assert not (place / "new").exists()
    if mistake.mended:
        assert type_in(mistake.mended)[0] == 0


def _type(command):
    """A command of a remedy, which may leave out what the reader knows."""
    try:
        type_it(command)
    except UsageError as error:
        assert "Missing" in error.format_message()


WIDE = ("corpus describe emodb --root emodb", "synthesizers", "recognizers", "protocols", "bank list run/bank")


@pytest.mark.parametrize("line", WIDE)
def test_nothing_is_cut_where_there_is_no_terminal(line, place, type_in, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    status, told, _ = type_in(line)
    assert (status, "…" in told) == (0, False)
    assert max(map(len, told.splitlines())) > 40


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("line", WIDE)
def test_a_terminal_is_filled_and_not_overflown_and_no_word_is_cut(line, columns, place, type_in, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")
    status, told, _ = type_in(line)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", told).splitlines()
    assert (status, "…" in told) == (0, False)
    assert line.startswith("bank") or max(map(len, lines)) <= columns


@pytest.mark.parametrize("line", WIDE)
def test_no_color_has_no_colours(line, place, type_in, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    _, told, _ = type_in(line)
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3|4|9|10)\d", told)

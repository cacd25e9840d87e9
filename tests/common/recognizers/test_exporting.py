"""A program that was exported says what `recognize` says."""

import builtins
import json

import numpy as np
import pytest
import soundfile
import torch

from common.corpora.audio import load
from common.errors import UserError
from common.features.extractor import LogMel
from common.features.vectors import space_of_vectors
from common.recognizers import recognizer
from common.recognizers.exporting import export_model, program_of
from common.recognizers.hearing import Listener
from common.seeds import torch_stream
from common.settings import FeatureConfig, VectorConfig
from common.spaces import PATCHES

VECTORS = space_of_vectors(VectorConfig())


def run_torch(path, examples):
    return torch.export.load(path).module()(examples)


def run_onnx(path, examples):
    session = pytest.importorskip("onnxruntime").InferenceSession(str(path))
    return torch.from_numpy(session.run(None, {"examples": examples.numpy()})[0])


RUN = {"torch": run_torch, "onnx": run_onnx}


@pytest.fixture(params=RUN)
def form(request):
    if request.param == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package, reason="an extra")
    return request.param


@pytest.fixture
def wav(tmp_path):
    noise = np.random.default_rng(0).standard_normal(64_000) * np.sin(np.arange(64_000) / 9_000) ** 2
    soundfile.write(tmp_path / "a.wav", (0.2 * noise).clip(-1, 1), 16_000)
    return tmp_path / "a.wav"


def test_the_program_of_patches_says_what_recognize_says_of_windows(model_of, around, form, wav, tmp_path):
    model = model_of(recognizer("cnn"))
    heard = Listener(model, around.acceleration).hear(wav, windows=True).windows
    log_mel = LogMel(model.card.features)(torch.from_numpy(load(wav))).half().float()
    starts = [*range(0, log_mel.shape[1] - 128, 32), log_mel.shape[1] - 128]
    examples = torch.stack([log_mel[:, start : start + 128] for start in starts])
    said = RUN[form](export_model(model, tmp_path / "program", form), examples)
    assert len(heard) == len(starts) > 2
    told = np.array([one.probabilities for one in heard])
    np.testing.assert_allclose(said, told, atol=1e-6)
    assert np.ptp(told, axis=0).max() > 1e-5  # an untrained one hears little difference, and ten times what is allowed


@pytest.mark.parametrize("name", ["svm", "dnn"])
def test_the_program_of_vectors_says_what_its_predictor_says(name, model_of, around, form, tmp_path):
    model = model_of(recognizer(name), VECTORS)
    examples = torch.randn(5, *VECTORS.shape, generator=torch_stream("examples"))
    said = RUN[form](export_model(model, tmp_path / "program", form), examples)
    np.testing.assert_allclose(said, model.predictor(around.acceleration).utterances(examples), atol=1e-4)


@pytest.mark.parametrize("count", [1, 32])
def test_one_example_and_as_many_as_may_be_can_be_given(count, model_of, tmp_path):
    model = model_of(recognizer("svm"), VECTORS)
    examples = torch.randn(count, *VECTORS.shape, generator=torch_stream("examples"))
    said = run_torch(export_model(model, tmp_path / "program", "torch"), examples)
    torch.testing.assert_close(said, program_of(model)(examples))


def test_beside_it_stands_what_goes_in_and_comes_out(model_of, tmp_path):
    path = export_model(model_of(recognizer("svm"), VECTORS), tmp_path / "program", "torch")
    told = json.loads(path.with_suffix(".json").read_text())
    assert path.name == "program.pt2"
    assert told["input"]["shape"] == ["n", VECTORS.size]
    assert told["output"]["shape"] == ["n", 4]
    assert told["model"]["labels"] == ["neutral", "angry", "sad", "happy"]


def test_a_program_of_sessions_says_that_they_are_normalised_first(model_of, tmp_path):
    model = model_of(recognizer("cnn"), features=FeatureConfig(normalisation="session"))
    path = export_model(model, tmp_path / "program", "torch")
    values = json.loads(path.with_suffix(".json").read_text())["input"]["values"]
    assert values.endswith("normalised by their session as eyesoff does it")


def test_a_program_is_not_written_over_and_another_form_is_named(model_of, tmp_path):
    model = model_of(recognizer("svm"), VECTORS)
    export_model(model, tmp_path / "program", "torch")
    with pytest.raises(UserError, match="it is there already"):
        export_model(model, tmp_path / "program.pt2", "torch")
    with pytest.raises(UserError, match="no such form: keras; choose one of torch, onnx"):
        export_model(model, tmp_path / "other", "keras")


def test_without_onnx_its_extra_is_named(model_of, tmp_path, monkeypatch):
    usual = builtins.__import__

    def lacking(name, *rest, **more):
        if name == "onnx":
            raise ImportError(name=name)
        return usual(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(UserError, match=r"ONNX needs onnx, which is not installed; .*eyesoff\[onnx\]"):
        export_model(model_of(recognizer("cnn"), PATCHES), tmp_path / "program", "onnx")
    assert not list(tmp_path.iterdir())

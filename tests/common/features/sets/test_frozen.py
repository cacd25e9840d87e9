"""A frozen encoder's pooled states are a vector; a tiny one is made here, or played where the extra is missing."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from common.errors import UserError
from common.features.sets import feature_set, frozen
from common.features.vectors import space_of_vectors, vectors_for
from common.settings import VectorConfig

SIZE, LAYERS = 8, 2


class Tiny(nn.Module):
    """As transformers' encoders of waveforms: a list of states, from what enters the first layer to the last."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.config = SimpleNamespace(num_hidden_layers=LAYERS, hidden_size=SIZE, conv_stride=(320,))
        self.cut = nn.Conv1d(1, SIZE, 400, 320)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.cut.reset_parameters()

    def forward(self, waveform, output_hidden_states):
        states = self.cut(waveform[:, None]).mT
        return SimpleNamespace(hidden_states=[states + layer for layer in range(LAYERS + 1)])


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Transformers' one name that is used."""
    opened = []

    def from_pretrained(which, *, local_files_only, use_safetensors):
        opened.append((which, local_files_only, use_safetensors))
        if which == "nobody/nothing":
            raise OSError("nobody/nothing is not a local folder\nand more")
        return Tiny(1 if which.endswith("other") else 0)

    monkeypatch.setitem(
        sys.modules, "transformers", SimpleNamespace(AutoModel=SimpleNamespace(from_pretrained=from_pretrained))
    )
    for cache in (feature_set, frozen._opened):
        cache.cache_clear()
    for name in ("tiny", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "tiny" / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    yield SimpleNamespace(folder=tmp_path, opened=opened)
    for cache in (feature_set, frozen._opened):
        cache.cache_clear()


def voice(seconds: float = 0.5) -> np.ndarray:
    return np.sin(np.arange(int(16_000 * seconds)) / 9).astype(np.float32)


def test_a_missing_package_is_told_with_the_remedy(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    frozen._opened.cache_clear()
    with pytest.raises(UserError, match=r"transformers is not installed.*eyesoff\[ssl\]"):
        frozen.frozen_set("some/encoder", {})


def test_a_folder_is_opened_without_a_network_and_from_safetensors_alone(package) -> None:
    own = frozen.frozen_set(str(package.folder / "tiny"), {})
    assert package.opened == [(str(package.folder / "tiny"), True, True)]
    assert (own.size, own.licence) == (SIZE, "apache-2.0")
    assert own.names[0] == "mean.1"


def test_a_layer_and_a_pooling_are_other_numbers_under_another_name(package) -> None:
    folder = str(package.folder / "tiny")
    last, first = frozen.frozen_set(folder, {}), frozen.frozen_set(folder, {"layer": "0"})
    both = frozen.frozen_set(folder, {"pooling": "mean+deviation"})
    assert len({last.name, first.name, both.name}) == 3
    np.testing.assert_allclose(last.extract(voice()) - first.extract(voice()), LAYERS, atol=1e-5)
    assert both.size == 2 * SIZE
    assert frozen.frozen_set(folder, {"layer": "-1"}).name == frozen.frozen_set(folder, {"layer": str(LAYERS)}).name


def test_other_weights_are_another_set(package) -> None:
    one, other = (frozen.frozen_set(str(package.folder / name), {}) for name in ("tiny", "other"))
    assert one.digest != other.digest
    assert one.name != other.name
    assert other.licence == frozen.UNKNOWN


def test_loudness_does_not_matter_to_an_encoder(package) -> None:
    own = frozen.frozen_set(str(package.folder / "tiny"), {})
    np.testing.assert_allclose(own.extract(0.1 * voice()), own.extract(voice()), atol=1e-3)


@pytest.mark.parametrize(
    ("which", "options", "word"),
    [
        ("tiny", {"layer": "9"}, "no layer 9"),
        ("tiny", {"layer": "last"}, "a layer is a number"),
        ("tiny", {"pooling": "most"}, "no such pooling"),
        ("tiny", {"rate": "8000"}, "no such option"),
        ("", {}, "which encoder"),
        ("nobody/nothing", {}, "is not a local folder"),
    ],
)
def test_what_is_wrong_is_named(package, which, options, word) -> None:
    where = str(package.folder / which) if which == "tiny" else which
    with pytest.raises(UserError, match=word):
        frozen.frozen_set(where, options)


def test_its_vectors_are_those_of_utterances(package, manifest, runtime) -> None:
    settings = VectorConfig(set=f"ssl:{package.folder / 'tiny'}", options=("pooling=mean+deviation",))
    assert vectors_for(manifest, settings, runtime).raw.shape == (8, 2 * SIZE)
    assert space_of_vectors(settings).size == 2 * SIZE


def test_a_tiny_hubert_made_here_gives_a_vector(tmp_path) -> None:
    transformers = pytest.importorskip("transformers")
    small = transformers.HubertConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_kernel=(10, 3),
        conv_stride=(160, 2),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
    )
    transformers.HubertModel(small).save_pretrained(tmp_path / "hubert")
    own = frozen.frozen_set(str(tmp_path / "hubert"), {"layer": "1"})
    vector = own.extract(voice())
    assert vector.shape == (16,)
    assert np.isfinite(vector).all()
    assert vector.tobytes() == own.extract(voice()).tobytes()

"""A model's folder is all that a recognizer needs, and one that cannot be used says why in one line."""

import json
import shutil

import pytest
import torch

from common.errors import UserError
from common.features.vectors import space_of_vectors
from common.networks.acceleration import Acceleration
from common.networks.spectral import SpectralNorm
from common.recognizers import RECOGNIZERS, recognizer
from common.recognizers.card import AUDITS, Result, extractor_of
from common.recognizers.model import amend_model, load_model, save_model
from common.settings import RuntimeConfig, VectorConfig
from common.spaces import PATCHES, Patches
from common.training.checkpoint import save_tensors

CASES = [
    pytest.param(one, kind, id=f"{one.name}-{kind.__name__.lower()}") for one in RECOGNIZERS for kind in one.spaces
]

VECTORS = space_of_vectors(VectorConfig())
MAKER = extractor_of(VECTORS, VectorConfig())


@pytest.fixture
def model(model_of):
    return model_of(recognizer("cnn"))


@pytest.fixture
def folder(model, tmp_path):
    save_model(tmp_path / "model", model)
    return tmp_path / "model"


def altered(folder, **changed):
    """Change what the card tells of the model; the tensors and their hash stay."""
    card = json.loads((folder / "card.json").read_text())
    card["model"] |= changed
    (folder / "card.json").write_text(json.dumps(card))


@pytest.mark.parametrize(("one", "kind"), CASES)
def test_what_was_saved_is_loaded_whatever_its_method_and_space(one, kind, model_of, tmp_path):
    model = model_of(one, PATCHES if kind is Patches else VECTORS)
    save_model(tmp_path / "model", model)
    loaded = load_model(tmp_path / "model")
    assert loaded.card == model.card
    assert loaded.weights.keys() == model.weights.keys()
    assert all(torch.equal(loaded.weights[name], value) for name, value in model.weights.items())


def test_it_can_be_copied_anywhere(folder, model, tmp_path):
    shutil.copytree(folder, tmp_path / "elsewhere")
    shutil.rmtree(folder)
    assert load_model(tmp_path / "elsewhere").card == model.card


def test_its_page_tells_people_what_it_is(folder, model):
    page = (folder / "README.md").read_text()
    assert page.startswith("---\nlibrary_name: eyesoff\n")
    assert "neutral, angry, sad or happy" in page
    assert "Licence of the data: that of the speech behind its data" in page
    assert "None was measured." in page
    assert "Its privacy was not measured." in page


def test_scores_and_audits_are_told_later_and_the_weights_stay(folder, model):
    before = (folder / "tensors.safetensors").read_bytes()
    result = Result(corpus="emodb", metric="uar", value=0.61, low=0.55, high=0.67, n=339)
    amend_model(folder, scores=(result,), audit={"membership advantage": 0.02})
    assert load_model(folder).card.scores == (result,)
    page = (folder / "README.md").read_text()
    assert "| emodb | uar | 0.610 | 0.550 to 0.670 | 339 |" in page
    assert "membership advantage: 0.02" in page
    assert (folder / "tensors.safetensors").read_bytes() == before


def test_the_page_tells_what_the_audit_of_each_release_said(folder, model):
    said = {"A-1": "release", "B-2": "not made", "C-3": "release"} | {f"D-{n}": "cannot tell" for n in range(30)}
    amend_model(folder, audit={AUDITS: said})
    page = (folder / "README.md").read_text()
    assert "- Before each release left, the audit at its own site said: cannot tell: D-0, D-1" in page
    assert "D-19 and 10 more; not made: B-2; release: A-1, C-3\n" in page
    assert "Its privacy was not measured." not in page


@pytest.mark.parametrize("name", ["tensors.safetensors", "card.json"])
def test_a_missing_file_is_named(name, folder):
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"not a model: it lacks {name}: .*; copy the whole folder again"):
        load_model(folder)


def test_its_page_is_not_needed(folder, model):
    (folder / "README.md").unlink()
    assert load_model(folder).card == model.card


@pytest.mark.parametrize("name", ["format", "extractor"])
def test_a_model_of_another_version_names_the_eyesoff_that_wrote_it(name, folder):
    altered(folder, **{name: 99 if name == "format" else "99"}, eyesoff="7.0")
    with pytest.raises(UserError, match=rf"another version \({name} 99, here [^)]*\d\): .*; eyesoff 7\.0 wrote it"):
        load_model(folder)


def test_a_method_that_is_not_installed_is_named(folder):
    altered(folder, recognizer="oracle")
    with pytest.raises(UserError, match=r"no such recognizer: oracle; there are .*cnn"):
        load_model(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": {"network": {"width": 2}}},
        {"settings": {"oracle": 1}},
        {"labels": ["angry"]},
        {"features": {"floor": 7}},
        {"scaling": {"low": 0}},
        {"space": {"kind": "colours"}},
        {"mood": "good"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_card_that_makes_no_sense_is_one_line_with_the_place(changed, folder):
    altered(folder, **changed)
    with pytest.raises(UserError, match=r"the card of a model cannot be understood \(.+\): .*card\.json; ") as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"scaling": None},
        {"space": VECTORS.model_dump(mode="json"), "extractor": MAKER},
        {"space": VECTORS.model_dump(mode="json"), "extractor": MAKER, "scaling": None},
    ],
    ids=["patches without scaling", "vectors with scaling", "vectors for a network of patches"],
)
def test_a_card_of_another_feature_set_than_its_method_reads_is_refused(changed, folder):
    altered(folder, **changed)
    with pytest.raises(UserError, match="contradicts itself"):
        load_model(folder)


def test_weights_of_another_size_are_named(folder):
    settings = json.loads((folder / "card.json").read_text())["model"]["settings"]
    altered(folder, settings={**settings, "network": {"width": 1 / 32}})
    with pytest.raises(UserError, match="weights of another model than its card tells"):
        load_model(folder)


def test_cut_weights_are_refused(folder):
    whole = (folder / "tensors.safetensors").read_bytes()
    (folder / "tensors.safetensors").write_bytes(whole[:-8])
    with pytest.raises(UserError, match="truncated or altered"):
        load_model(folder)


def test_tensors_of_something_else_are_no_model(tmp_path):
    save_tensors(tmp_path / "other", {"a": torch.zeros(1)}, {"scaling": {}})
    with pytest.raises(UserError, match=r"tensors, but not a model: .*; name the folder `model`"):
        load_model(tmp_path / "other")


def test_a_run_says_where_its_models_are(folder, tmp_path):
    with pytest.raises(UserError, match=rf"not a model, but it holds some: .*; name one, such as {folder}"):
        load_model(tmp_path)


def test_a_place_that_is_none_and_a_file_are_named(folder, tmp_path):
    with pytest.raises(UserError, match="no such model"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(UserError, match="a model is a folder, not a file"):
        load_model(folder / "card.json")


def test_the_space_of_a_model_is_its_own(folder):
    assert load_model(folder).card.space == PATCHES


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"vectors": {"set": "opensmile-of-mine"}}, "no such set of features: opensmile-of-mine"),
        ({"extractor": "functionals 0123456789ab"}, r"another version \(extractor functionals 0123456789ab, here "),
        ({"space": {**VECTORS.model_dump(mode="json"), "size": 7}}, "contradicts itself"),
        ({"space": {**VECTORS.model_dump(mode="json"), "scale": "public"}}, "contradicts itself"),
        ({"vectors": {"normalisation": "training"}}, "contradicts itself"),
    ],
    ids=["not installed", "another version", "another size", "another scale", "another normalisation"],
)
def test_a_model_of_another_set_of_vectors_is_refused(changed, reason, model_of, tmp_path):
    save_model(tmp_path / "model", model_of(recognizer("svm"), VECTORS))
    load_model(tmp_path / "model")
    altered(tmp_path / "model", **changed)
    with pytest.raises(UserError, match=reason):
        load_model(tmp_path / "model")


class TestFound:
    """What is found in weights at length is kept beside them, and a folder without it is a model as well."""

    @pytest.fixture
    def answers(self, folder, monkeypatch):
        """What the folder's model says, and how often a norm was sought for it."""
        machine, patches = (
            Acceleration.of(RuntimeConfig(device="cpu", precision="fp32")),
            torch.randn(2, *PATCHES.shape),
        )
        sought, honest = [], SpectralNorm.converge
        monkeypatch.setattr(SpectralNorm, "converge", lambda norm, weight: sought.append(1) or honest(norm, weight))

        def answered():
            sought.clear()
            return load_model(folder).predictor(machine).examples(patches), len(sought)

        return answered

    def test_it_is_not_sought_again_and_the_answer_is_the_same_without_it(self, folder, answers):
        known, sought = answers()
        assert sought == 0
        shutil.rmtree(folder / "found")
        anew, sought = answers()
        assert sought > 0
        torch.testing.assert_close(known, anew, rtol=0, atol=1e-4)

    def test_what_is_damaged_or_of_other_weights_is_sought_again(self, folder, answers, model):
        known, _ = answers()
        card = folder / "found" / "card.json"
        before = card.read_text()
        card.write_text(before.replace(json.loads(before)["weights"], "0" * 64))
        assert answers()[1] > 0
        card.write_text(before[:-20])
        again, sought = answers()
        assert sought > 0
        torch.testing.assert_close(known, again, rtol=0, atol=1e-4)

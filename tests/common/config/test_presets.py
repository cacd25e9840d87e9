"""The presets: how each begins, and the paper's numbers, typed here from its sections 3 and 4."""

import re

import pytest

from common.config import PRESETS, load_config, preset_path
from common.settings import EMOTIONS
from common.space import SAMPLE_RATE, SIDE


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_begins_with_how_to_start_it_how_long_it_takes_and_what_comes_out(name: str) -> None:
    first, *opening = preset_path(name).read_text().splitlines()[:4]
    assert first.startswith(f"# {name}: ")
    assert [re.match(r"# (.*?): +\S", line)[1] for line in opening] == ["Start", "How long", "Comes out"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_sound_and_knows_its_name(name: str) -> None:
    assert load_config(name).name == name


def test_the_paper_preset_holds_every_number_of_sections_3_and_4() -> None:
    paper = load_config("paper")
    features = paper.features
    assert (SAMPLE_RATE, features.window, features.hop, features.fft) == (16_000, 512, 256, 512)
    assert SIDE == 128
    assert (paper.network.width, paper.network.noise, paper.corpus.classes) == (1.0, 128, 4)
    assert paper.corpus.emotions == EMOTIONS
    assert (paper.optimizer.beta1, paper.optimizer.beta2) == (0.5, 0.99)
    autoencoder, adversarial = paper.pretraining.autoencoder, paper.pretraining.adversarial
    assert (autoencoder.iterations, autoencoder.batch, autoencoder.learning_rate) == (200_000, 32, 5e-5)
    assert (adversarial.iterations, adversarial.batch, adversarial.penalty) == (200_000, 32, 10.0)
    for stage in (adversarial, paper.finetuning):
        assert (stage.generator_learning_rate, stage.discriminator_learning_rate) == (2e-6, 2e-5)
    assert paper.finetuning.batch == paper.recognizer.batch == 32
    recognizer = paper.recognizer
    assert (recognizer.learning_rate, recognizer.decay_every, recognizer.decay_factor) == (1e-5, 10_000, 0.1)
    assert (recognizer.window_hop, paper.sampling.per_emotion) == (32, 40_000)
    assert paper.corpus.name == "iemocap"


def test_the_paper_preset_adds_nothing_that_the_paper_does_not_do() -> None:
    paper = load_config("paper")
    assert paper.recognizer.augmentation == ()
    assert (paper.pretraining.adversarial.average, paper.finetuning.average) == (0, 0)
    assert paper.sampling.latent_scale == 1.0


def test_small_is_an_eighth_of_the_width_and_demo_a_sixteenth() -> None:
    assert (load_config("small").network.width, load_config("demo").network.width) == (1 / 8, 1 / 16)


@pytest.mark.parametrize("name", ["adan", "wadan"])
def test_the_presets_of_yi_and_mak_hold_their_numbers(name: str) -> None:
    config = load_config(name)
    own = getattr(config, name)
    assert (own.code, own.noise, own.hidden, own.inner) == (100, 100, 800, 100)
    assert (own.batch, own.learning_rate, own.autoencoder_rate, own.autoencoder_every) == (128, 1e-4, 1e-4, 1)
    assert own.classification == 1
    if name == "adan":
        assert own.saturating
        assert own.instance_noise == 0
    else:
        assert (own.penalty, own.power) == (10, 5)
    assert (config.dnn.learning_rate, config.vectors.normalisation) == (1e-4, "training")


def test_the_preset_of_sahu_descends_plainly_at_the_printed_rates() -> None:
    config = load_config("sahu")
    for own, rate in ((config.m1, 0.1), (config.m2, 0.1), (config.m3, 0.01)):
        assert (own.descent, own.width, own.code_rate) == ("plain", 1, rate)
        assert (own.autoencoder_rate, own.discriminator_rate, own.decoder_rate) == (1e-3, 1e-4, 1e-3)
    assert (config.m2.code, config.m2.momentum) == (2, 0.9)


def test_the_presets_of_shilandari_and_of_chatziagapi_hold_their_numbers() -> None:
    own = load_config("cyclegan").cyclegan
    assert (own.divergence, own.hidden, own.learning_rate, own.cycle) == ("wasserstein", 800, 2e-4, 1)
    config = load_config("chatziagapi")
    earlier = config.chatziagapi
    assert (earlier.code, earlier.dropout) == (100, 0.2)
    assert (earlier.autoencoder_learning_rate, earlier.learning_rate) == (5e-5, 1e-6)
    assert (config.methods.synthesizer, config.methods.recognizer) == ("chatziagapi", "vgg19")


@pytest.mark.parametrize("name", [name for name in PRESETS if load_config(name).compare.modes])
def test_the_rows_of_a_preset_are_modes_of_what_its_recognizer_reads(name: str) -> None:
    from common.features.spaces import space_of_kinds
    from common.recognizers import recognizer
    from simulations.comparison.modes import choose_modes

    config = load_config(name)
    space = space_of_kinds(recognizer(config.methods.recognizer).spaces, config)
    rows = choose_modes([], space, config)
    assert len(rows) == len(config.compare.modes) >= 3
    assert rows[0].name == "real"
    assert any(row.where == "clients" for row in rows)


def test_the_best_preset_has_what_a_site_would_pick_instead() -> None:
    assert load_config("best").compare.modes[:3] == ("real", "gaussian", "gaussian federated")
    assert any("averaging" in row for row in load_config("best").compare.modes)


def test_rows_are_no_part_of_what_defines_a_result() -> None:
    assert load_config("best", ['compare.modes=["real"]']).identity_hash() == load_config("best").identity_hash()

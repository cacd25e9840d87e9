"""VGG19 is VGG19, its segments vote, and it learns."""

import pytest
import torch

from common.recognizers.methods import vgg19
from common.recognizers.methods.vgg19 import RECOGNIZER, Settings, Vgg19, Vgg19Config, voted
from common.spaces import PATCHES


def test_it_has_as_many_weights_as_in_its_paper():
    with torch.device("meta"):
        network = Vgg19(1.0, 3, 224, 1000)
    assert sum(parameter.numel() for parameter in network.parameters()) == 143_667_240
    assert sum(parameter.numel() for parameter in network.convolutions.parameters()) == 20_024_384
    assert network(torch.empty(1, 3, 224, 224, device="meta")).shape == (1, 1000)


def logs(*rows):
    return torch.tensor(rows, dtype=torch.float64).log()


def test_the_emotion_that_most_segments_vote_for_wins_however_sure_the_others_are():
    told = logs([0.4, 0.35, 0.25], [0.4, 0.35, 0.25], [0.01, 0.98, 0.01])
    assert told.exp().mean(dim=0).argmax() == 1  # what a mean of probabilities would say
    assert voted(torch.tensor([0, 0, 0]), told).argmax(dim=1).tolist() == [0]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_between_as_many_votes_the_larger_mean_log_probability_decides(order):
    told = logs([0.55, 0.44, 0.01], [0.01, 0.98, 0.01])[order]
    assert voted(torch.tensor([0, 0]), told).argmax(dim=1).tolist() == [1]


def test_votes_are_counted_utterance_by_utterance():
    shares = voted(torch.tensor([0, 1, 1, 1]), logs([0.9, 0.1], [0.2, 0.8], [0.2, 0.8], [0.8, 0.2]))
    assert shares.argmax(dim=1).tolist() == [0, 1]
    assert shares.sum(dim=1).tolist() == pytest.approx([1, 1])


def test_segments_do_not_overlap_and_the_last_is_at_the_very_end(around, monkeypatch):
    settings, seen = Settings(vgg19=Vgg19Config(width=1 / 64)), []
    weights = {name: torch.zeros(shape) for name, shape in RECOGNIZER.shapes(settings, PATCHES, 4).items()}
    predictor = RECOGNIZER.predictor(weights, settings, PATCHES, 4, around.acceleration)
    monkeypatch.setattr(
        predictor, "_forward", lambda patches: seen.extend(patches[:, 0, 0, 0].tolist()) or torch.zeros(len(patches), 4)
    )
    ramp = torch.arange(300.0).expand(128, 300)
    predictor.utterances([ramp, ramp[:, :50]])
    assert seen == [0, 128, 172, 0]


def test_it_learns_bands_and_drops_a_share_of_its_units_while_it_does(bands, around):
    settings = Settings(vgg19=Vgg19Config(width=1 / 32, iterations=60, batch=16, learning_rate=3e-3, dropout=0.2))
    weights = vgg19.train(bands, settings, PATCHES, 4, 0, around)
    predictor = RECOGNIZER.predictor(weights, settings, PATCHES, 4, around.acceleration)
    unheard = bands.batch(0, 40, "unheard")
    right = (predictor.examples(unheard.values).argmax(dim=1) == unheard.labels).float().mean()
    assert right > 0.9
    network, rows = Vgg19(1 / 64, 1, 128, 4), bands.batch(0, 2, "dropped").values
    none, all_of_it = torch.zeros(2, 64), torch.ones(2, 64)
    assert torch.equal(network(rows, (none, none)), torch.zeros(2, 4))
    assert torch.equal(network(rows, (all_of_it, all_of_it)), network(rows))

"""What does not fit a site has its word, and nothing of it is begun."""

import pytest
import torch

from client.keeper import Keeper
from client.ledger import entries
from common.errors import UserError
from common.synthesizers import Fitting
from common.wire import PROTOCOL, Ask, Code, Collect, Refusal, Stage, decode, encode
from common.wire.codec import Limits

WITHOUT_NETWORKS = (Code.LABEL_ORDER, Code.BASE_FORBIDDEN)
"""What is asked here without networks, for none have these labels or this digest."""
ASK = Ask(run="run-1")


def refusal_of(data):
    """A refusal as whoever receives it reads it, whatever was asked."""
    return decode(data, Refusal, Limits(2**16))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iterations": 1_000_000}, Code.RECIPE_FORBIDDEN),
        ({"weights": "0" * 64}, Code.BASE_FORBIDDEN),
        ({"features": "0123456789ab"}, Code.FEATURES),
        ({"session": "10+09"}, Code.UNKNOWN_SESSION),
        ({"labels": ("angry", "neutral", "sad", "happy")}, Code.LABEL_ORDER),
        ({"labels": ("neutral", "angry")}, Code.LABEL_ORDER),
    ],
    ids=lambda value: value.value if isinstance(value, Code) else next(iter(value)),
)
def test_a_request_that_does_not_fit_the_site(keeper, ask_to_tune, changed, code):
    request = ask_to_tune(**changed)
    data = encode(Collect(tuning=request.tuning)) if code in WITHOUT_NETWORKS else encode(request)
    refusal = refusal_of(keeper.answer(data))
    assert (refusal.code, refusal.stage) == (code, Stage.ADMIT)
    assert keeper.status()["tunings"] == 0


def test_networks_with_a_value_that_is_no_number(keeper, ask_to_tune):
    data = bytearray(encode(ask_to_tune()))
    data[-4:] = torch.tensor([float("nan")]).numpy().tobytes()
    assert refusal_of(keeper.answer(bytes(data))).code is Code.NOT_FINITE


def test_other_networks_under_the_name_of_the_base(keeper, ask_to_tune):
    data = bytearray(encode(ask_to_tune()))
    data[-4:] = torch.tensor([0.123]).numpy().tobytes()
    assert refusal_of(keeper.answer(bytes(data))).code is Code.WRONG_DIGEST


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (PROTOCOL, PROTOCOL[::-1], Code.PROTOCOL),
        ('\\"kind\\":\\"ask\\"', '\\"kind\\":\\"wav\\"', Code.UNEXPECTED_KIND),
        ('\\"run-1\\"', '\\"../..\\"', Code.BAD_FIELD),
        ('\\"run-1\\"', '\\"/etc/\\"', Code.BAD_FIELD),
        ('\\"run\\"', '\\"rub\\"', Code.BAD_FIELD),
    ],
    ids=["protocol", "record", "path", "absolute path", "field"],
)
def test_a_message_of_another_kind(keeper, old, new, code):
    data = encode(ASK)
    spoilt = data.replace(old.encode(), new.encode())
    assert spoilt != data
    assert refusal_of(keeper.answer(spoilt)).code is code


@pytest.fixture
def site_without(speech, site, tmp_path):
    """A function from emotions to the same site without a recording of them."""

    def make(*emotions):
        rows = (speech / "recordings.csv").read_text().splitlines()
        table = tmp_path / "fewer.csv"
        table.write_text("\n".join(row for row in rows if not any(emotion in row for emotion in emotions)))
        for path in speech.glob("*.wav"):
            (tmp_path / path.name).symlink_to(path)
        return site.model_copy(update={"root": table})

    return make


def test_a_site_that_lacks_two_emotions_is_tuned_to_the_others_and_says_which(
    site_without, said, ask_to_tune, monkeypatch
):
    held = []
    monkeypatch.setattr(
        "client.tuning.Fitting", lambda *given, **named: held.append(given[-1]) or Fitting(*given, **named)
    )
    release = said(Keeper(site_without("sad", "happy")), ask_to_tune(), 60.0)
    assert release.card.known == held[0] == (True, True, False, False)
    assert release.card.emotions == ("neutral", "angry")
    assert all(value.isfinite().all() for value in release.released.values())


@pytest.mark.parametrize("holds", ["", "one"])
def test_a_site_without_any_emotion_of_the_run_says_so_in_its_log_and_refuses_with_a_word(
    site_without, speech, said, ask_to_tune, ask_to_score, caplog, holds
):
    site = site_without("neutral", "angry", "sad", "happy").model_copy(update={"holds": holds})
    with site.root.open("a") as table:
        table.write("\n00.wav,bored,one,anna")
    keeper = Keeper(site)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "no-speech" in caplog.text
    assert "there are other emotions: bored (1)" in caplog.text
    for request in (ASK, ask_to_tune(), ask_to_score()):
        refusal = said(keeper, request)
        assert (refusal.code, refusal.stage) == (Code.NO_SPEECH, Stage.ADMIT)


@pytest.mark.parametrize(
    ("policy", "code"),
    [("minimum_utterances = 7", Code.TOO_FEW_UTTERANCES), ("minimum_speakers = 3", Code.TOO_FEW_SPEAKERS)],
)
def test_a_policy_that_wants_more_voices_refuses(site, said, ask_to_tune, ask_to_score, policy, code, with_policy):
    keeper = Keeper(with_policy(site, policy))
    assert said(keeper, ask_to_tune()).code is code
    assert said(keeper, ask_to_score()).code is code


def test_a_policy_file_with_mistakes_names_each_and_no_keeper_comes_to_be(site, with_policy):
    with pytest.raises(UserError) as raised:
        Keeper(with_policy(site, 'stepps = 3\nbatch = 2\nallow = ["speech"]'))
    assert all(word in str(raised.value) for word in ("policy.toml", "stepps", "batch", "allow"))
    assert not site.ledger.exists()


def test_a_request_larger_than_the_policy_reads_is_turned_away_by_name(keeper, site):
    refusal = refusal_of(keeper.turn_away(2**40))
    assert (refusal.code, refusal.stage) == (Code.TOO_LARGE, Stage.RECEIVE)
    assert [entry.outcome for entry in entries(site.ledger)] == ["refused", "sent"]

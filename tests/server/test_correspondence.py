"""Whatever a client answers, what comes of it is a reply that passed every check, or a failure with a name."""

import pickle

import pytest
import torch

from common.wire import PROTOCOL, Code, Refusal, Release, Stage, encode
from server.correspondence import Correspondence
from server.requests import Requests

SILENCE = "no answer within 5 seconds"
NEEDED = Refusal(run="run", session="A", code=Code.BASE_NEEDED, stage=Stage.TUNE)


def changed_weights(change):
    def trick(request, honest):
        return encode(honest.model_copy(update={"released": change(dict(honest.released))}))

    return trick


def changed_tuning(**changed):
    def trick(request, honest):
        tuning = honest.card.tuning.model_copy(update=changed)
        return encode(honest.model_copy(update={"card": honest.card.model_copy(update={"tuning": tuning})}))

    return trick


def another_protocol(request, honest):
    return encode(honest).replace(PROTOCOL.encode(), PROTOCOL[::-1].encode())


def with_one_nan(request, honest):
    return encode(honest)[:-2] + b"\x00\x7e"


def swapped(weights):
    return weights | {"linears.0.weight": weights["linears.0.weight"].T.contiguous()}


TROUBLES = {
    "silent": (SILENCE, SILENCE, 2, False),
    "raises": ("Flower error 2: it raised", "Flower error 2: it raised", 2, False),
    "says nothing": (b"", "truncated", 2, True),
    "rubbish": (b"rubbish " * 9, "malformed", 2, True),
    "a pickle": (pickle.dumps({"weights": [1.0]}), "malformed", 2, True),
    "one NaN": (with_one_nan, "not-finite", 2, True),
    "a swapped shape": (changed_weights(swapped), "wrong-shape", 2, True),
    "an extra tensor": (changed_weights(lambda w: w | {"speech": torch.zeros(9)}), "unknown-tensor", 2, True),
    "a missing tensor": (changed_weights(lambda w: dict(list(w.items())[1:])), "missing-tensor", 2, True),
    "bytes at the end": (lambda request, honest: encode(honest) + b"speech", "trailing-bytes", 2, True),
    "too many bytes": (lambda request, honest: encode(honest) + bytes(2**17), "too-large", 2, True),
    "another session's": (changed_tuning(session="A"), "wrong-answer", 2, True),
    "another run's": (changed_tuning(run="run-2"), "wrong-answer", 2, True),
    "another protocol": (another_protocol, "another version of the protocol", 1, True),
    "failed": (Code.FAILED, "the site's own log says why", 2, False),
    "another recipe": (Code.RECIPE_FORBIDDEN, "recipe-forbidden", 1, False),
    "time spent": (Code.TOO_LONG, "too-long", 1, False),
    "another label order": (Code.LABEL_ORDER, "label-order", 1, False),
    "quota spent": (Code.TUNINGS_SPENT, "ask again tomorrow", 1, False),
}


@pytest.fixture
def requests(config, base):
    return Requests("run", config, base, per_speaker=False)


class Desk:
    """A correspondence with clients, and all that was kept apart or told."""

    def __init__(self, clients, requests, attempts):
        self.requests, self.kept_apart, self.told = requests, [], []
        self.post = Correspondence(clients, attempts, lambda *what: self.kept_apart.append(what), self.told.append)

    def tune(self, *clients, seconds=60.0):
        """The sessions of the releases that came of asking these clients, in the order of their arrival."""
        questions = [self.requests.tune(client, "ABCDEF"[int(client)]) for client in clients]
        replies = self.post.replies("tune", questions, seconds, self.requests.follow_tuning)
        return [question.session for question, reply in replies if isinstance(reply, Release)]


@pytest.fixture
def desk_of(requests):
    def make(clients, attempts=2):
        return Desk(clients, requests, attempts)

    return make


@pytest.mark.parametrize(("trick", "reason", "asked", "kept_apart"), TROUBLES.values(), ids=TROUBLES)
def test_trouble_is_named_asked_again_where_that_may_help_and_kept_apart_where_it_failed_the_checks(
    desk_of, clients_of, client_of, trick, reason, asked, kept_apart
):
    bad = client_of("B", {"tune": [trick]})
    desk = desk_of(clients_of(1, c1=bad))
    assert desk.tune("0", "1") == ["A"]
    assert bad.heard == ["tune"] * asked
    assert len(desk.post.failures) == asked
    assert desk.told == desk.post.failures
    for failure in desk.post.failures:
        assert (failure.client, failure.session, failure.stage) == ("1", "B", "tune")
        assert reason in failure.reason
        assert str(failure) == f"client 1 (B) at tune: {failure.reason}"
        assert "\n" not in failure.reason
    assert [sender for _, sender, _ in desk.kept_apart] == ["B"] * (asked * kept_apart)


def test_whoever_failed_is_asked_again_after_all_the_others(desk_of, clients_of, client_of):
    shaky = client_of("A", {"tune": [Code.FAILED, None]})
    desk = desk_of(clients_of(3, c0=shaky))
    assert desk.tune("0", "1", "2") == ["B", "C", "A"]


def test_attempts_are_counted_for_each_question(desk_of, clients_of, client_of):
    tricks = {"1": [SILENCE, Code.FAILED, b"rubbish", None], "2": [SILENCE]}
    bad = {f"c{name}": client_of("ABC"[int(name)], {"tune": line}) for name, line in tricks.items()}
    desk = desk_of(clients_of(1, **bad), attempts=4)
    assert desk.tune("0", "1", "2") == ["A", "B"]
    assert [client.heard.count("tune") for client in bad.values()] == [4, 4]


def test_a_tuning_that_the_site_forgot_is_begun_anew_with_the_networks(desk_of, clients_of, client_of):
    restarted = client_of("A", {"tune": [1, None], "collect": [Code.NOT_BEGUN]})
    assert desk_of(clients_of(1, c0=restarted)).tune("0") == ["A"]
    assert restarted.heard == ["tune", "collect", "tune"]


def test_nobody_is_at_work_for_ever(desk_of, clients_of, client_of):
    endless = client_of("A", {"tune": [1], "collect": [1]})
    desk = desk_of(clients_of(2, c0=endless))
    assert desk.tune("0", "1", seconds=0.1) == ["B"]
    assert [failure.reason for failure in desk.post.failures] == ["at step 1 of 2 after 0.1 seconds"] * 2


def test_a_client_is_asked_one_thing_at_a_time(desk_of, clients_of, client_of, requests):
    several = client_of("A", {"tune": [1, Code.AUDIT, None]})
    questions = [requests.tune("0", session) for session in ("A", "B", "C")]
    replies = desk_of(clients_of(1, c0=several)).post.replies("tune", questions, 60, requests.follow_tuning)
    assert [question.session for question, _ in replies] == ["A", "C"]
    assert several.heard == ["tune", "collect", "tune", "tune"]


def test_what_is_left_when_the_time_is_over_is_named(desk_of, clients_of, requests):
    class Late:
        def exchange(self, sent, seconds):
            return iter(())

    desk = desk_of(Late(), attempts=1)
    assert desk.tune("0", seconds=3) == []
    assert [failure.reason for failure in desk.post.failures] == ["its turn did not come within 3 seconds"]


def test_a_failure_on_the_way_is_told_in_one_printable_line(desk_of, clients_of, client_of):
    bad = client_of("A", {"tune": ["Traceback:\n  \x1b[31mred " + "x" * 5000]})
    desk = desk_of(clients_of(1, c0=bad), attempts=1)
    assert desk.tune("0") == []
    assert desk.post.failures[0].reason.startswith("Traceback: ?[31mred xxx")
    assert len(desk.post.failures[0].reason) == 300


def test_nothing_to_ask_is_nothing_to_wait_for(desk_of):
    class Nobody:
        """Cannot even be asked."""

    assert desk_of(Nobody()).tune() == []


def test_the_networks_are_in_memory_only_while_they_are_sent(requests):
    question = requests.follow_tuning(requests.tune("0", "A"), NEEDED)
    assert not question.request.base
    assert len(question.payload()) > 100_000
    assert torch.is_tensor(next(iter(question.weights()["base"].values())))


def test_networks_are_named_first_and_sent_once_to_a_site_that_lacks_them(requests):
    named = requests.tune("0", "A")
    assert len(named.payload()) < 5_000
    sent = requests.follow_tuning(named, NEEDED)
    assert (named.request.shipped, sent.request.shipped) == (False, True)
    assert (sent.client, sent.session, sent.request.tuning) == (named.client, named.session, named.request.tuning)
    assert requests.follow_tuning(sent, NEEDED) is None


def test_a_site_that_lacks_the_networks_even_when_they_were_sent_is_not_sent_them_for_ever(
    desk_of, clients_of, client_of
):
    deaf = client_of("A", {"tune": [Code.BASE_NEEDED]})
    desk = desk_of(clients_of(1, c0=deaf))
    assert desk.tune("0") == []
    assert deaf.shipped == [False, True]
    assert ["base-needed" in failure.reason for failure in desk.post.failures] == [True]


def test_the_vectors_of_norms_are_not_sent(requests):
    weights = requests.follow_tuning(requests.tune("0", "A"), NEEDED).weights()
    assert not [name for group in weights.values() for name in group if name.endswith((".norm.u", ".norm.v"))]

"""Flower's client side: a relay. Flower ships this code from the server, so it never runs where the speech is.

Owns the translation between a Flower message and the keeper's bytes. Must not know what the bytes say, nor any data: in
deployment all it has is a socket. In simulation, where server and clients are one person's, the keeper is made here.
"""

from pathlib import Path

import numpy as np
from flwr.app import Array, ArrayRecord, Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp

from client.service import Answering, RemoteKeeper
from common.errors import UserError

RECORD, FIELD = "eyesoff", "message"
DEPLOYED_PATIENCE = 30.0
UNREACHABLE, BROKEN = 100, 101

app = ClientApp()


@app.query()
@app.train()
@app.evaluate()
def relay(message: Message, context: Context) -> Message:
    """Carry a message to the keeper and its answer back; an error leaves as a number and fixed words."""
    try:
        keeper, patience = _keeper(context)
        letter = message.content[RECORD][FIELD].numpy().tobytes()
        answer = keeper.answer(letter, patience)
    except UserError:
        return Message(Error(UNREACHABLE, "the site's keeper cannot be reached"), reply_to=message)
    except Exception:
        return Message(Error(BROKEN, "the relay failed; its own log says why"), reply_to=message)
    array = Array(np.frombuffer(answer, dtype=np.uint8))
    return Message(RecordDict({RECORD: ArrayRecord({FIELD: array})}), reply_to=message)


def _keeper(context: Context) -> tuple[Answering, float]:
    """The keeper behind the site's socket; in simulation one made here, which is waited for without end."""
    socket = context.node_config.get("keeper")
    if socket:
        return RemoteKeeper(Path(str(socket))), DEPLOYED_PATIENCE
    from client.keeper import Keeper
    from client.site import simulated_site

    run, number = Path(str(context.run_config["run"])), int(context.node_config["partition-id"])
    return Keeper(simulated_site(run / "sites", number)), float("inf")

"""Flower's client side: a relay. Flower ships this code from the server, so it never runs where the speech is.

Owns the translation between a Flower message and the keeper's bytes. Must not know what the bytes say, nor any data: in
deployment all it has is a socket. In simulation, where server and clients are one person's, the keeper is made here.
"""

import logging
from pathlib import Path

import numpy as np
from flwr.app import Array, ArrayRecord, Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp

from client.service import RemoteKeeper
from common.errors import UserError

RECORD, FIELD = "eyesoff", "message"
PATIENCE = 30.0
UNREACHABLE, BROKEN = 100, 101

log = logging.getLogger(__name__)
app = ClientApp()


@app.query()
@app.train()
@app.evaluate()
def relay(message: Message, context: Context) -> Message:
    """Carry a message to the keeper and its answer back; an error leaves as a number and fixed words."""
    try:
        answer = _carry(message.content.array_records[RECORD][FIELD].numpy().data, context)
    except UserError as error:
        log.error("%s", error)
        return Message(Error(UNREACHABLE, "the site's keeper cannot be reached"), reply_to=message)
    except Exception:
        log.exception("the relay failed")
        return Message(Error(BROKEN, "the relay failed; its own log says why"), reply_to=message)
    array = Array(np.frombuffer(answer, dtype=np.uint8))
    return Message(RecordDict({RECORD: ArrayRecord({FIELD: array})}), reply_to=message)


def _carry(request: memoryview, context: Context) -> bytes:
    """To the keeper behind the site's socket; in simulation to one made here, which is waited for without end."""
    if socket := context.node_config.get("keeper"):
        return RemoteKeeper(Path(str(socket))).answer(request, PATIENCE)
    if "partition-id" not in context.node_config:
        raise UserError("no keeper is named", where="--node-config", remedy='add keeper="PATH" with its socket\'s path')
    from client.journal import journal
    from client.keeper import Keeper
    from client.simulated import own_sites, simulated_site
    from common.config.unnamed import KEY, unnamed_config

    named, number = str(context.run_config["run"]), int(str(context.node_config["partition-id"]))
    if named:
        sites = Path(named) / "sites"
    else:
        config = unnamed_config(str(context.run_config["preset"]), str(context.run_config[KEY]))
        sites = own_sites(config, context.run_id)
    site = simulated_site(sites, number)
    with journal(site.state):
        return Keeper(site).answer(request, float("inf"))

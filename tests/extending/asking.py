"""Run where the example is installed: an order for its synthesizer, and what keepers with it say to that.

    python asking.py SETTINGS BASE FOLDER

Leaves the order and a site in the folder, and prints the answers of the site under two policies: one that accepts the
order's recipe, and the default.
"""

import json
import sys
import time
from pathlib import Path

from client.bases import read_base
from client.keeper import Keeper
from client.simulated import SITES, simulated_site, write_sites
from common.config import load_config
from common.corpora import labelled_corpus
from common.training.pretrained import load_pretrained
from common.wire import decode_reply
from server.requests import Requests


def main(settings: Path, base: Path, folder: Path) -> None:
    """Ask, and print."""
    config = load_config(settings)
    write_sites(folder, config, labelled_corpus(config.corpus, config.runtime), read_base(base).digest)
    site = simulated_site(folder / SITES, 0)
    pretrained = load_pretrained(base, config.network, config.features, config.corpus.classes)
    question = Requests("example", config, pretrained, per_speaker=True).tune("0", site.session)
    request = question.payload()
    (folder / "order.bin").write_bytes(request)
    accepting = site.policy or folder
    policies = {"accepting": accepting.read_text(), "default": ""}
    answers = {}
    for name, policy in policies.items():
        accepting.write_text(policy)
        keeper = Keeper(simulated_site(folder / SITES, 0))
        while (reply := decode_reply(keeper.answer(request), question.request)).kind == "working":
            time.sleep(0.05)
        answers[name] = [reply.kind, getattr(reply, "code", None), sorted(getattr(reply, "released", {}))]
        keeper.stop()
    accepting.write_text(policies["accepting"])
    print(json.dumps(answers))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

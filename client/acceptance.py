"""A steward's yes to a base or a recipe: what is accepted in plain words, and the policy file that then lists it.

Owns the change of a policy's two lists; all else in the file stays as its people wrote it. Must not know how a person
is asked.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from client import bases, recipes
from client.bounds import Bounds
from client.policy import Policy, load_policy
from common.config import Config
from common.config.showing import spell
from common.errors import UserError
from common.files import atomic_write
from common.settings import NetworkConfig
from common.training.checkpoint import read_tensors


@dataclass(frozen=True)
class Proposal:
    """What a steward is asked to accept: a list of the policy, a digest, what it is, and what is unusual about it."""

    rule: str
    digest: str
    facts: tuple[str, ...]
    unusual: tuple[str, ...]

    def is_accepted(self, policy: Policy) -> bool:
        """Whether the policy lists it already."""
        return self.digest in getattr(policy, self.rule)


def propose_recipe(config: Config, bounds: Bounds) -> Proposal:
    """The recipe of a configuration, such as the config.toml of a run, to a site with these bounds."""
    recipe = recipes.recipe_of(config)
    return Proposal("recipes", recipe.digest, tuple(recipes.describe(recipe)), tuple(recipes.unusual(recipe, bounds)))


def propose_base(folder: Path, bounds: Bounds) -> Proposal:
    """The networks in a folder as pre-training writes it."""
    base = bases.read_base(folder)
    card = read_tensors(folder)[1]
    try:
        stored = card["settings"]["network"]
        network = NetworkConfig.model_validate({name: stored[name] for name in stored if name != "emotions"})
    except (KeyError, ValueError):
        remedy = "name the folder `pretrained` of a pre-training's run"
        raise UserError("its card does not tell the networks' sizes", where=folder, remedy=remedy) from None
    data = card.get("data", {})
    made = f"{data['corpus']}" if isinstance(data, dict) and "corpus" in data else "its card does not say which"
    facts = (
        f"networks at {network.width:g} of the paper's width, latent of {network.noise} numbers",
        f"pre-trained on: {made}",
        *([f"log-mels from {base.scaling.low:g} to {base.scaling.high:g} become -1 to 1"] if base.scaling else []),
    )
    return Proposal("bases", base.digest, facts, tuple(bases.unusual(base, network, bounds)))


def accept(proposal: Proposal, policy: Path) -> None:
    """List what is proposed in a policy file, or leave the file as it is and say why."""
    before = load_policy(policy)
    known = (*getattr(before, proposal.rule), proposal.digest)
    text = _with_list(policy.read_text(encoding="utf-8"), proposal.rule, known)
    if _policy_of(text, beside=policy) != before.model_copy(update={proposal.rule: known}):
        remedy = f'add "{proposal.digest}" to {proposal.rule} by hand'
        raise UserError("the policy file is written in a way that this cannot change", where=policy, remedy=remedy)
    atomic_write(policy, text.encode(), mode=policy.stat().st_mode & 0o777)


def _policy_of(text: str, beside: Path) -> Policy | None:
    """The policy that a file of this text would be; nothing, where it would be none."""
    whole = beside.with_name(f".{beside.name}.proposed")
    atomic_write(whole, text.encode())
    try:
        return load_policy(whole)
    except UserError:
        return None
    finally:
        whole.unlink(missing_ok=True)


def _with_list(text: str, rule: str, digests: tuple[str, ...]) -> str:
    """A policy's text in which a rule is this list: in the place of its old one, or before the first table."""
    line = f"{rule} = {spell(list(digests))}"
    changed, count = re.subn(rf"(?m)^{rule}\s*=\s*\[[^\]]*\]", lambda _: line, text, count=1)
    if count:
        return changed
    table = re.search(r"(?m)^\[", text)
    place = table.start() if table else len(text)
    return f"{text[:place]}{line}\n\n{text[place:]}"

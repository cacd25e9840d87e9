"""A keeper's counts in Prometheus' text format.

Owns the names and their spelling. Must not know anything of the speech: whoever reaches the socket may read this, the
relay included, so it counts what was asked and granted, and says of no audit what it said.
"""

from collections.abc import Iterator, Mapping, Sequence

from client.standing import Quota

WELL = "Whether it can let anything out."
Sample = tuple[str, float]
"""A set of labels as it is spelled, and a value."""


def exposition(status: Mapping[str, object], quotas: Sequence[Quota]) -> str:
    """What a keeper says of itself, and what is given of each quota; no quotas where the ledger cannot be read."""
    version = f'{{version="{status["eyesoff"]}"}}'
    lines = [
        *_metric("eyesoff_keeper_info", "The keeper's version.", [(version, 1)]),
        *_metric("eyesoff_keeper_well", WELL, [("", float(bool(status["well"])))]),
        *_metric("eyesoff_tunings", "Tunings and audits at work or waiting.", [("", _number(status["tunings"]))]),
    ]
    if status["well"]:
        entries = [("", _number(status["entries"]))]
        lines += _metric("eyesoff_ledger_entries", "Entries of the ledger.", entries)
    if quotas:
        used = [(_rule(quota), quota.used) for quota in quotas]
        limits = [(_rule(quota), quota.limit) for quota in quotas]
        lines += _metric("eyesoff_quota_used", "What is given of a rule of the policy that runs out.", used)
        lines += _metric("eyesoff_quota_limit", "Of the same rule, the limit.", limits)
    return "\n".join(lines) + "\n"


def unwell() -> str:
    """What is told in the place of a keeper that does not answer."""
    return "\n".join(_metric("eyesoff_keeper_well", WELL, [("", 0.0)])) + "\n"


def _rule(quota: Quota) -> str:
    return f'{{rule="{quota.rule}"}}'


def _number(told: object) -> float:
    return float(told) if isinstance(told, int | float) else 0.0


def _metric(name: str, meaning: str, samples: Sequence[Sample]) -> Iterator[str]:
    """All are gauges: a count of 24 hours falls, and a ledger that was accepted anew begins again."""
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    yield from (f"{name}{labels} {value:.12g}" for labels, value in samples)

"""Colours, each for a light and a dark page, told apart by people who see colours differently.

Owns what has which colour. A figure is drawn in the light ones; in the page each becomes a variable of the style
sheet, so that one drawing fits both.
"""

from collections.abc import Sequence

COLOURS: dict[str, tuple[str, str]] = {
    "paper": ("#fdfdfb", "#14171b"),
    "ink": ("#1b1f24", "#e8e9e6"),
    "soft": ("#5a626c", "#a3abb5"),
    "line": ("#d9dbd8", "#343a42"),
    "real": ("#2c323a", "#d4d8dd"),
    "centralized": ("#0b8577", "#45c2b1"),
    "federated": ("#1f68b3", "#70b1f4"),
    "baseline": ("#bd5218", "#f3965d"),
    "floor": ("#6d7580", "#939ca7"),
    "mixed": ("#9c4a86", "#dc97c9"),
    "fourth": ("#b58a00", "#e3bd4d"),
    "fifth": ("#6a5acd", "#a99ff2"),
}
"""Name to the light and the dark one; the light ones are all different, for a drawing is recoloured by them."""
LIGHT = {name: light for name, (light, _) in COLOURS.items()}

_MODES = {
    "real": "real",
    "centralized": "centralized",
    "federated": "federated",
    "baseline": "baseline",
    "chatziagapi": "baseline",
    "floor": "floor",
    "real+synthetic": "mixed",
    "conditional": "centralized",
}
_FURTHER = ("fourth", "fifth", "mixed", "centralized")
_EMOTIONS = {"neutral": "floor", "angry": "baseline", "sad": "federated", "happy": "fourth"}
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def of_mode(name: str, among: Sequence[str]) -> str:
    """The colour of a mode, or of a synthesizer; one that is not the paper's takes the next free one."""
    others = [one for one in among if one not in _MODES]
    return LIGHT[_MODES[name] if name in _MODES else _FURTHER[others.index(name) % len(_FURTHER)]]


def of_emotion(name: str, among: Sequence[str]) -> str:
    """The colour of an emotion."""
    others = [one for one in among if one not in _EMOTIONS]
    return LIGHT[_EMOTIONS[name] if name in _EMOTIONS else _FURTHER[others.index(name) % len(_FURTHER)]]


def variables(dark: bool) -> str:
    """The colours as variables of a style sheet."""
    return " ".join(f"--{name}: {pair[dark]};" for name, pair in COLOURS.items())


def readable_on(colour: str, alpha: float) -> str:
    """Of paper and ink the one that is read better on a colour laid thinly over paper, where it is read worse.

    >>> readable_on(LIGHT["real"], 0.1) == LIGHT["ink"], readable_on(LIGHT["real"], 0.9) == LIGHT["paper"]
    (True, True)
    """
    name = next(name for name, light in LIGHT.items() if light == colour)

    def worst(text: str) -> float:
        return min(
            _contrast(COLOURS[text][dark], COLOURS[name][dark], COLOURS["paper"][dark], alpha) for dark in (0, 1)
        )

    return LIGHT[max(("paper", "ink"), key=worst)]


def _contrast(text: str, colour: str, paper: str, alpha: float) -> float:
    """As the accessibility guidelines define it, from 1 to 21."""
    ground = [alpha * one + (1 - alpha) * other for one, other in zip(_levels(colour), _levels(paper), strict=True)]
    lightest, darkest = sorted((_luminance(_levels(text)), _luminance(ground)), reverse=True)
    return (lightest + 0.05) / (darkest + 0.05)


def _levels(colour: str) -> list[float]:
    return [byte / 255 for byte in bytes.fromhex(colour.removeprefix("#"))]


def _luminance(levels: Sequence[float]) -> float:
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return sum(weight * level for weight, level in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

"""Numbers as people read them.

Owns their spelling: a true minus, as many digits as mean something, a dash for what is not there.
"""

AS_SEEDS = "Each draw counts as a seed in means, intervals and deviations."
NOTHING = "–"


def score(value: float | None) -> str:
    """Three decimals.

    >>> score(0.42024), score(-0.0248), score(-1e-17), score(None)
    ('0.420', '−0.025', '0.000', '–')
    """
    return NOTHING if value is None else _signed(f"{value:.3f}")


def probability(value: float) -> str:
    """Three decimals, and no zero where there is none.

    >>> probability(0.0312), probability(0.0001)
    ('= 0.031', '< 0.001')
    """
    return f"= {score(value)}" if value >= 0.001 else "< 0.001"


def percent(value: float | None) -> str:
    """Whole percents.

    >>> percent(0.9149), percent(-0.084)
    ('91 %', '−8 %')
    """
    return NOTHING if value is None else f"{_signed(f'{100 * value:.0f}')} %"


def interval(low: float, high: float) -> str:
    """From and to.

    >>> interval(0.33669, 0.49808)
    '0.337 to 0.498'
    """
    return f"{score(low)} to {score(high)}"


def percents(low: float, high: float) -> str:
    """From and to, in percent.

    >>> percents(0.88, 1.014)
    '88 to 101 %'
    """
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def measure(value: float) -> str:
    """Three significant digits of something that may be large.

    >>> measure(2535.35), measure(0.12063), measure(-0.63), measure(0.0)
    ('2,535', '0.121', '−0.630', '0.000')
    """
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return _signed(f"{value:,.{digits}f}")


def megabytes(count: int) -> str:
    """Bytes in the unit that fits.

    >>> megabytes(208), megabytes(1_178_946), megabytes(34_000)
    ('208 bytes', '1.18 MB', '34.0 kB')
    """
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def many(count: int, one: str) -> str:
    """A count with its noun.

    >>> many(1, "seed"), many(3, "seed")
    ('1 seed', '3 seeds')
    """
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def _signed(digits: str) -> str:
    if not digits.strip("-0.,"):
        return digits.removeprefix("-")
    return digits.replace("-", "−")

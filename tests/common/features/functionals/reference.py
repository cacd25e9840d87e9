"""The functionals as one would write them first: a frame at a time, in double precision, with library statistics."""

import numpy as np
from scipy import stats
from scipy.fft import dct

FLOOR = 1e-10
RATE = 16_000


def vector(waveform: np.ndarray) -> np.ndarray:
    always, voiced, is_voiced = descriptors(waveform.astype(np.float64))
    values = [value for row in always for value in of_descriptor(row)]
    for row in voiced:
        values += of_descriptor(row) if len(row) else [0.0] * 30
    return np.array([*values, *extras(is_voiced, len(waveform) / RATE)])


def descriptors(waveform: np.ndarray):
    waveform = waveform - waveform.mean()
    starts = range(0, len(waveform) - 800 + 1, 160)
    rows, before = [], None
    pitches = [pitch_of(waveform[start : start + 800]) for start in starts]
    for start, (strength, _) in zip(starts, pitches, strict=True):
        short = waveform[start + 200 : start + 600]
        row, before = frame(short, before)
        rows.append([*row, strength, 10 * np.log10(max(strength, 0.001) / (1 - max(strength, 0.001)))])
    always = np.array(rows).T
    level = always[0]
    loud = np.quantile(level, 0.95) - 4
    is_voiced = np.array([strength > 0.45 for strength, _ in pitches]) & (level > loud)
    return always, voice(np.array([period for _, period in pitches]), level, is_voiced), is_voiced


def frame(short: np.ndarray, before: np.ndarray | None):
    hann = np.hanning(401)[:-1]
    power = np.abs(np.fft.rfft(short * hann / hann.sum(), 512)) ** 2
    hertz = np.arange(257) * RATE / 512
    total = power.sum() + FLOOR
    centroid = (power * hertz).sum() / total
    spread = np.sqrt(max((power * hertz**2).sum() / total - centroid**2, 0))
    rolloffs = [hertz[np.argmax(np.cumsum(power) >= share * power.sum())] for share in (0.25, 0.5, 0.85, 0.95)]
    magnitude = np.sqrt(power) / (np.sqrt(power).sum() + FLOOR)
    flux = 0.0 if before is None else np.sqrt(((magnitude - before) ** 2).sum())
    flatness = np.log(power + FLOOR).mean() - np.log(power.mean() + FLOOR)
    low, high = (hertz >= 50) & (hertz < 1000), (hertz >= 1000) & (hertz < 5000)
    alpha = decibels(power[low].sum()) - decibels(power[high].sum())
    hammarberg = decibels(power[hertz < 2000].max()) - decibels(power[(hertz >= 2000) & (hertz < 5000)].max())
    mel = np.log(mel_filters(hertz) @ power + FLOOR)
    crossings = np.mean((short[1:] >= 0) != (short[:-1] >= 0))
    energy = np.log((short**2).mean() + FLOOR)
    cepstra = dct(mel, norm="ortho")[1:15]
    return [
        energy,
        crossings,
        centroid,
        spread,
        *rolloffs,
        flux,
        flatness,
        alpha,
        hammarberg,
        *mel,
        *cepstra,
    ], magnitude


def mel_filters(hertz: np.ndarray) -> np.ndarray:
    corners = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28) / 2595) - 1)
    return np.array([np.interp(hertz, corners[band : band + 3], [0, 1, 0]) for band in range(26)])


def decibels(power: float) -> float:
    return 10 * np.log10(power + FLOOR)


def pitch_of(long: np.ndarray) -> tuple[float, float]:
    hann = np.hanning(801)[:-1]
    windowed, own = autocorrelation(long * hann), autocorrelation(hann)
    scaled = windowed / own
    best, found = -np.inf, None
    for lag in range(26, 291):
        if scaled[lag] > scaled[lag - 1] and scaled[lag] >= scaled[lag + 1]:
            worth = scaled[lag] - 0.02 * np.log2(lag / 26)
            if worth > best:
                best, found = worth, lag
    if found is None:
        return 0.0, 26 / RATE
    before, here, after = scaled[found - 1 : found + 2]
    shift = 0.5 * (before - after) / (before - 2 * here + after)
    return float(np.clip(here - 0.25 * (before - after) * shift, 0, 0.999)), (found + shift) / RATE


def autocorrelation(values: np.ndarray) -> np.ndarray:
    products = np.array([(values[: len(values) - lag] * values[lag:]).sum() for lag in range(292)])
    return products / (products[0] or 1)


def voice(period: np.ndarray, level: np.ndarray, is_voiced: np.ndarray):
    numbers = np.flatnonzero(is_voiced)
    semitones = 12 * np.log2(1 / (55 * period[numbers]))
    smooth = [
        np.median([semitones[min(max(place + step, 0), len(numbers) - 1)] for step in range(-2, 3)])
        for place in range(len(numbers))
    ]
    jumps = {"period": {}, "level": {}}
    for place in range(1, len(numbers)):
        here, there = numbers[place], numbers[place - 1]
        if here == there + 1:
            jumps["period"][place] = abs(period[here] - period[there]) / period[numbers].mean()
            jumps["level"][place] = abs(level[here] - level[there])
    rows = [smooth]
    for found in jumps.values():
        usual = np.mean(list(found.values())) if found else 0
        rows.append([found.get(place, usual) for place in range(len(numbers))])
    return np.array(rows).reshape(3, len(numbers))


def of_descriptor(row: np.ndarray) -> list[float]:
    def at(values, place):
        return values[min(max(place, 0), len(values) - 1)]

    level = [np.mean([at(row, place + step) for step in (-1, 0, 1)]) for place in range(len(row))]
    delta = [
        (at(level, t + 1) - at(level, t - 1) + 2 * (at(level, t + 2) - at(level, t - 2))) / 10 for t in range(len(row))
    ]
    return [*statistics(np.array(level)), *statistics(np.array(delta))]


def statistics(values: np.ndarray) -> list[float]:
    time = np.arange(len(values))
    slope, offset = np.polyfit(time, values, 1) if len(values) > 1 else (0.0, values[0])
    error = np.sqrt(np.mean((values - slope * time - offset) ** 2))
    one, low, middle, high, most = np.percentile(values, [1, 25, 50, 75, 99])
    varies = values.std() > 1e-6 * (1 + abs(values.mean()))
    shape = [stats.skew(values), stats.kurtosis(values, fisher=False)] if varies else [0.0, 0.0]
    span = values.max() - values.min()
    share = np.mean(values > values.min() + 0.75 * span)
    ranges = [middle - low, high - middle, span]
    return [values.mean(), values.std(), *shape, one, low, middle, high, most, *ranges, slope, error, share]


def extras(is_voiced: np.ndarray, seconds: float) -> list[float]:
    lengths, run = [], 0
    for one in [*is_voiced, False]:
        if one:
            run += 1
        elif run:
            lengths.append(run / 100)
            run = 0
    mean, deviation = (np.mean(lengths), np.std(lengths)) if lengths else (0.0, 0.0)
    return [is_voiced.mean(), len(lengths) / seconds, mean, deviation, seconds]

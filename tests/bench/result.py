"""What one measurement came to, and the numbers made of several tries."""

import dataclasses
import enum
import math
import statistics


class Verdict(enum.Enum):
    HELD = "yes"
    BROKEN = "NO"
    TRIAL = "trial"
    NO_LIMIT = "–"
    FAILED = "FAILED"


@dataclasses.dataclass
class Result:
    """One line of the table. Values are in `unit`; the limit is one of the ratio where there is a yardstick."""

    work: str
    unit: str  # s, ms, MB
    value: float | None = None
    yardstick: str = "–"
    yardstick_value: float | None = None
    ratio: float | None = None
    ratio_range: tuple[float, float] | None = None
    limit: float | None = None
    verdict: Verdict = Verdict.NO_LIMIT
    samples: list[float] = dataclasses.field(default_factory=list)
    yardstick_samples: list[float] = dataclasses.field(default_factory=list)
    measurement: str = ""  # letter of the measurement it is a part of


def against_limit(work: str, unit: str, value: float, limit: float | None, *, samples: list[float], is_trial: bool = False) -> Result:
    """A measurement that stands alone."""
    return Result(work, unit, value, limit=limit, verdict=_judge(value, limit, is_trial), samples=samples)


def against_yardstick(
    work: str,
    yardstick: str,
    samples_s: list[float],
    yardstick_samples_s: list[float],
    *,
    limit: float | None,
    is_trial: bool = False,
) -> Result:
    """Pairs of times: the median of their ratios, since a slow moment of the machine hits both halves of a pair."""
    ratios = [own / other for own, other in zip(samples_s, yardstick_samples_s, strict=True)]
    ratio = statistics.median(ratios)
    return Result(
        work,
        "s",
        statistics.median(samples_s),
        yardstick,
        statistics.median(yardstick_samples_s),
        ratio,
        (min(ratios), max(ratios)),
        limit,
        _judge(ratio, limit, is_trial),
        samples_s,
        yardstick_samples_s,
    )


def percentile_95(samples: list[float]) -> float:
    """The nearest rank: of 20 tries the nineteenth."""
    return sorted(samples)[math.ceil(0.95 * len(samples)) - 1]


def _judge(value: float, limit: float | None, is_trial: bool) -> Verdict:
    if limit is None:
        return Verdict.NO_LIMIT
    if is_trial:
        return Verdict.TRIAL
    return Verdict.HELD if value <= limit else Verdict.BROKEN

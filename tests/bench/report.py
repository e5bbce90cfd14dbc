"""The table on stdout and the lines of build/bench.jsonl."""

import datetime
import json
import os
import pathlib
import platform

from result import Result, Verdict

_HEADER = ("work", "yardstick", "leat", "ratio", "limit", "held?")


def machine() -> dict:
    """What a number means nothing without."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "model": _processor(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "load_average_1m": round(os.getloadavg()[0], 2),
    }


def describe(facts: dict, leat: str, postgres: str) -> str:
    line = (
        f"{leat} · PostgreSQL {postgres} · {facts['cores']} cores, {facts['model']}, {facts['memory_bytes'] / 1e9:.0f} GB"
        f" · Linux {facts['kernel']}"
    )
    if facts["load_average_1m"] > 0.5:
        line += (
            f"\nload average {facts['load_average_1m']} at the start: unless that was the build, others work here; "
            "believe the ratios, not the times"
        )
    return line


def table(results: list[Result]) -> str:
    rows = [_HEADER] + [_row(result) for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def append_json_lines(path: pathlib.Path, results: list[Result], facts: dict, leat: str, postgres: str, rows: int) -> None:
    """One line per result, each complete in itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ended_at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    common = {"ended_at": ended_at, "leat": leat, "postgres": postgres, "rows": rows, "machine": facts}
    with open(path, "a", encoding="utf-8") as file:
        for result in results:
            file.write(json.dumps(common | _fields(result), ensure_ascii=False) + "\n")


def _row(result: Result) -> tuple[str, ...]:
    yardstick = result.yardstick
    if result.yardstick_value is not None:
        yardstick += f"  {_number(result.yardstick_value, result.unit)}"
    return (
        result.work,
        yardstick,
        _number(result.value, result.unit),
        _ratio(result),
        _limit(result),
        result.verdict.value,
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    digits = 2 if unit == "s" else 0
    return f"{value:.{digits}f} {unit}"


def _ratio(result: Result) -> str:
    if result.ratio is None:
        return "–"
    low, high = result.ratio_range
    return f"{result.ratio:.2f} ({low:.2f}–{high:.2f})"


def _limit(result: Result) -> str:
    if result.limit is None:
        return "–"
    return f"≤ {result.limit:g} ×" if result.ratio is not None else f"≤ {result.limit:g} {result.unit}"


def _fields(result: Result) -> dict:
    return {
        "measurement": result.measurement,
        "work": result.work.strip(),
        "unit": result.unit,
        "leat_value": result.value,
        "yardstick": result.yardstick,
        "yardstick_value": result.yardstick_value,
        "ratio": result.ratio,
        "limit": result.limit,
        "verdict": result.verdict.name.lower(),
        "leat_samples": result.samples,
        "yardstick_samples": result.yardstick_samples,
    }


def failed(work: str) -> Result:
    return Result(work, "s", verdict=Verdict.FAILED)


def _processor() -> str:
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()

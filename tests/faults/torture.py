#!/usr/bin/env python3
"""Have leat die, its disk fail and its connections break, and look after each time whether everything is right.

Usage:
  torture.py --seed S --minutes M [--jobs N] [--ledger FILE]    random rounds of all kinds until the time is over
  torture.py --seed S --only KIND[:NUMBER]                      the rounds of CI, or one round again

Kinds: kills, points, io, network. A failure prints the command that repeats it; exit 1.
"""

import argparse
import collections
import concurrent.futures
import csv
import datetime
import itertools
import multiprocessing
import pathlib
import random
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
VENV = HERE.parents[1] / ".venv" / "bin" / "python"
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

try:
    import rounds
    import world
except ModuleNotFoundError:
    if pathlib.Path(sys.executable) == VENV:
        raise
    sys.exit(subprocess.run([VENV, *sys.argv]).returncode)  # called as a program, outside of the tests' Python

COLUMNS = ["date", "commit", "seed", "minutes", "kills", "fail_points", "io_errors", "network_faults", "failures"]


def play_chunk(cluster, seed: int, kind: str, first: int, last: int, counts: collections.Counter) -> bool:
    try:
        for _ in rounds.play(cluster, seed, kind, first, last):
            counts[kind] += 1
    except rounds.Failure as failure:
        counts["failures"] += 1
        print(failure, end="\n\n", flush=True)
        return False
    return True


def campaign(seed: int, worker: int, workers: int, deadline: float) -> collections.Counter:
    """Chunks of random kinds, numbered so that no two workers play the same."""
    counts = collections.Counter()
    rng = random.Random(f"{seed}:{worker}")
    with world.running_cluster() as cluster:
        for chunk in itertools.count(worker, workers):
            if time.time() > deadline:
                break
            kind = rng.choice(list(rounds.KINDS))
            first = chunk * rounds.CHUNK
            play_chunk(cluster, seed, kind, first, first + rounds.CHUNK - 1, counts)
    return counts


def commit_of_checkout() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=HERE.parents[1], capture_output=True, text=True).stdout.strip()

    return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain", "--", "src", "tests/faults") else "")


def append_to(ledger: pathlib.Path, seed: int, minutes: float, counts: collections.Counter) -> None:
    is_new = not ledger.exists()
    with ledger.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(COLUMNS)
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        row = [counts[name] for name in ("kills", "points", "io", "network", "failures")]
        writer.writerow([today, commit_of_checkout(), seed, f"{minutes:g}", *row])


def torture(seed: int, minutes: float, jobs: int, ledger: pathlib.Path | None) -> collections.Counter:
    deadline = time.time() + minutes * 60
    counts = collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(campaign, seed, worker, jobs, deadline) for worker in range(jobs)]:
            counts += done.result()
    if ledger:
        append_to(ledger, seed, minutes, counts)
    return counts


def repeat(seed: int, only: str) -> collections.Counter:
    name, _, number = only.partition(":")
    kind = rounds.KINDS[name]
    counts = collections.Counter()
    with world.running_cluster() as cluster:
        if number:
            first, _ = rounds.chunk_of(kind, int(number))
            play_chunk(cluster, seed, name, first, int(number), counts)
        else:
            for first in range(0, kind.in_ci, rounds.CHUNK):
                play_chunk(cluster, seed, name, *rounds.chunk_of(kind, first), counts)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--ledger", type=pathlib.Path)
    parser.add_argument("--only")
    asked = parser.parse_args()
    if asked.only:
        counts = repeat(asked.seed, asked.only)
    else:
        counts = torture(asked.seed, asked.minutes, asked.jobs, asked.ledger)
    names = {"kills": "kills", "points": "fail points", "io": "I/O errors", "network": "network faults", "failures": "failures"}
    print(f"seed {asked.seed}: " + ", ".join(f"{counts[key]} {name}" for key, name in names.items()))
    return 1 if counts["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure leat beside its yardsticks, in one run on one machine; see README.md.

Exits 0 if every limit held, 1 if one did not or a program failed, 2 if nothing could be measured.
"""

import argparse
import pathlib
import shutil
import signal
import sys
import tempfile

import psycopg

import process
import projects
import report
import works
from result import Result, Verdict
from server import BenchCluster

_BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
_DISK_BYTES_ALWAYS = 4_000_000_000  # the server's write-ahead log kept for reuse, the small databases


class Unusable(Exception):
    """Nothing can be measured here; the text says why."""


def main() -> int:
    arguments = _parse(sys.argv[1:])
    # SIGTERM unwinds as Ctrl-C does, so that the server is stopped and the folders are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        projects.binary()
        _require_disk(arguments)
        return _measure(arguments)
    except (projects.BinaryMissing, Unusable) as error:
        print(f"run_bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("run_bench: interrupted; the server is stopped, its files are removed", file=sys.stderr)
        return 130


def _parse(words: list[str]) -> argparse.Namespace:
    letters = "".join(f"\n  {work.letter}  {work.title}" for work in works.WORKS)
    parser = argparse.ArgumentParser(
        prog="run_bench",
        description="Measure leat beside its yardsticks, interleaved, on a PostgreSQL of its own.",
        epilog=f"measurements:{letters}\n\nLEAT_BIN names another program than build/leat.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", type=_works, metavar="a,c", help="some of the measurements (default: all)")
    parser.add_argument(
        "--pairs", type=_positive, metavar="N", help="pairs of each comparison (default: what its limit asks for)"
    )
    parser.add_argument(
        "--rows",
        type=_positive,
        metavar="N",
        default=works.ROWS,
        help="rows of the table; with another number no limit that depends on it counts (default: %(default)s)",
    )
    parser.add_argument("--large", action="store_true", help=f"{works.LARGE_FACTOR} × the rows against the rows, and nothing else")
    arguments = parser.parse_args(words)
    if arguments.large and arguments.only:
        parser.error("--large is a measurement of its own; leave out --only")
    arguments.works = [works.LARGE] if arguments.large else arguments.only or works.WORKS
    return arguments


def _works(text: str) -> list[works.Work]:
    known = {work.letter: work for work in works.WORKS}
    letters = [letter.strip() for letter in text.split(",")]
    unknown = [letter for letter in letters if letter not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"no measurement is called {unknown[0]!r}; there are {', '.join(known)}")
    return [known[letter] for letter in dict.fromkeys(letters)]


def _positive(text: str) -> int:
    number = int(text.replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _require_disk(arguments: argparse.Namespace) -> None:
    folder = tempfile.gettempdir()
    needed_bytes = _DISK_BYTES_ALWAYS + max(work.disk_bytes_per_row for work in arguments.works) * arguments.rows
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise Unusable(
            f"{folder} has {free_bytes / 1e9:.0f} GB free; {needed_bytes / 1e9:.0f} GB are needed. "
            "Set TMPDIR to a folder on a larger disk, or measure fewer --rows"
        )


def _measure(arguments: argparse.Namespace) -> int:
    facts = report.machine()
    with BenchCluster() as cluster, tempfile.TemporaryDirectory(prefix="leat-bench-") as folder:
        bench = works.Bench(cluster, pathlib.Path(folder), arguments.rows, arguments.pairs)
        leat, postgres = bench.leat.version(bench.folder), cluster.version()
        print(report.describe(facts, leat, postgres), flush=True)
        results = []
        # What is done is shown, whatever ends the rest.
        try:
            for work in arguments.works:
                bench.tell(f"{work.letter}: {work.title}")
                results += _try(work, bench)
        finally:
            if results:
                print("\n" + report.table(results), flush=True)
                report.append_json_lines(_BUILD / "bench.jsonl", results, facts, leat, postgres, arguments.rows)
    return 1 if any(result.verdict in (Verdict.BROKEN, Verdict.FAILED) for result in results) else 0


def _try(work: works.Work, bench: works.Bench) -> list[Result]:
    """Measure; a program that fails costs its own line and not the others'."""
    try:
        results = work.measure(bench)
    # Not there is wrong as well: a folder or a table that leat should have made.
    except (process.Failed, works.WrongAnswer, psycopg.Error, OSError) as error:
        bench.tell(f"  {error}")
        results = [report.failed(work.title)]
    for result in results:
        result.measurement = work.letter
    return results


if __name__ == "__main__":
    sys.exit(main())

"""The measurements. Each is a function from a Bench to lines of the table, and makes what it needs itself."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator

import psycopg

import api
import process
import projects
import server
from result import Result, Verdict, against_limit, against_yardstick, percentile_95
from server import BenchCluster, Database

ROWS = 5_000_000
LARGE_FACTOR = 10
MODELS = 200
TRIES = 20
_WIDE_ROWS_PER_ROW = 0.12  # 600,000 of 5 M: about as many bytes

_RESIDENT_MB_MAX = 300
_CPU_S_MAX = 3.2
_LAKE_RATIO_MAX = 0.9
_WAREHOUSE_RATIO_MAX = 1.1
_LARGE_RATIO_MAX = 10.5
_IDLE_S_MAX = 0.15
_CHANGED_ROWS = 10_000
_CHANGED_S_MAX = 1.0
_MANY_RUNS = 500
_EARLY_RUN = 50
_LATE_RATIO_MAX = 1.2
_HELP_MS_MAX = 30
_COMPLETION_MS_MAX = 30
_PREVIEW_MS_MAX = 150
_STOP_MS_MAX = 200
_PAGES_BYTES = 314_000_000
_PAGES_RATIO_MAX = 1.5
_AT_WORK_S = 0.5  # by then the work that is to be stopped has begun
_STATUS_MS_MAX = 150
_VALIDATE_MS_MAX = 300


class WrongAnswer(Exception):
    """leat was quick, but what it made is not what it was given."""


@dataclasses.dataclass
class Bench:
    """What all measurements share."""

    cluster: BenchCluster
    folder: pathlib.Path  # for projects; removed at the end
    rows: int
    pairs: int | None  # None: as many as each limit asks for

    def __post_init__(self) -> None:
        self.leat = projects.Leat(self.folder / "home")
        self.psql = server.psql()

    def pairs_or(self, pairs_min: int) -> int:
        return self.pairs or pairs_min

    def is_trial(self, pairs_min: int = 1) -> bool:
        return self.rows != ROWS or self.pairs_or(pairs_min) < pairs_min

    def tell(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def database(self, fill: Callable[..., None] | None = None, *arguments) -> Iterator[Database]:
        """A database for one measurement."""
        database = self.cluster.create_database()
        try:
            if fill:
                fill(database, *arguments)
            yield database
        finally:
            # Ctrl-C reaches the server as well: then everything goes with it.
            with contextlib.suppress(psycopg.OperationalError):
                self.cluster.drop_database(database.name)

    def copy_out(self, database: Database) -> process.Usage:
        """The yardstick of reading: psql sends the table to /dev/null over one connection."""
        return self._psql(database, "COPY sales_order TO STDOUT (FORMAT binary)")

    def copy_to_file(self, database: Database, path: pathlib.Path) -> None:
        self._psql(database, f"\\copy sales_order TO '{path}' (FORMAT binary)")

    def copy_in(self, database: Database, path: pathlib.Path) -> process.Usage:
        """The yardstick of loading: psql fills an empty table that has its key."""
        return self._psql(database, f"\\copy sales_order FROM '{path}' (FORMAT binary)")

    def _psql(self, database: Database, statement: str) -> process.Usage:
        command = [self.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url(), "-c", statement]
        # Nothing of the caller's PG* variables either.
        return process.run(command, env={"PATH": "/usr/bin:/bin"}, keep_output=False)


@dataclasses.dataclass
class Pairs:
    """Tries of leat beside tries of its yardstick."""

    leat: list[process.Usage] = dataclasses.field(default_factory=list)
    yardstick: list[process.Usage] = dataclasses.field(default_factory=list)

    def walls_s(self) -> list[float]:
        return [usage.wall_s for usage in self.leat]

    def yardstick_walls_s(self) -> list[float]:
        return [usage.wall_s for usage in self.yardstick]

    def resident_mb(self) -> list[float]:
        return [usage.resident_bytes_max / 1e6 for usage in self.leat]

    def cpu_s(self) -> list[float]:
        return [usage.cpu_s for usage in self.leat]


def measure_pairs(bench: Bench, count: int, leat: Callable[[], process.Usage], yardstick: Callable[[], process.Usage]) -> Pairs:
    """Take turns, and turns at being first: whoever comes second finds warmer caches."""
    pairs = Pairs()
    for number in range(count):
        if number % 2 == 0:
            pairs.yardstick.append(yardstick())
            pairs.leat.append(leat())
        else:
            pairs.leat.append(leat())
            pairs.yardstick.append(yardstick())
        bench.tell(
            f"  pair {number + 1} of {count}: leat {pairs.leat[-1].wall_s:.2f} s (cpu {pairs.leat[-1].cpu_s:.2f} s, "
            f"{pairs.leat[-1].resident_bytes_max / 1e6:.0f} MB), yardstick {pairs.yardstick[-1].wall_s:.2f} s"
        )
    return pairs


# --- PostgreSQL to the lake -------------------------------------------------------------------------------------------


def read_into_lake(bench: Bench, database: Database) -> process.Usage:
    """One `leat run` in a fresh project: from nothing to a committed table."""
    folder = projects.write_lake_project(bench.folder / "lake", database)
    return bench.leat.run("run", cwd=folder)


def expect_rows(bench: Bench, table: str, rows: int, folder: pathlib.Path) -> None:
    found = bench.leat.count(table, folder)
    if found != rows:
        raise WrongAnswer(f"{table} has {found} rows after the run; {rows} were in the source")


def compare_lake_with_copy(bench: Bench, database: Database, rows: int, pairs: int) -> Pairs:
    # The first read of a new table pays for everybody's caches; it is not measured, its rows are counted.
    bench.copy_out(database)
    read_into_lake(bench, database)
    expect_rows(bench, "totesys.sales_order", rows, bench.folder / "lake")
    return measure_pairs(bench, pairs, lambda: read_into_lake(bench, database), lambda: bench.copy_out(database))


def measure_lake(bench: Bench) -> list[Result]:
    pairs_min = 7
    trial = bench.is_trial(pairs_min)
    with bench.database(server.fill_sales_orders, bench.rows) as database:
        pairs = compare_lake_with_copy(bench, database, bench.rows, bench.pairs_or(pairs_min))
    work = f"{_count(bench.rows)} rows to the lake"
    return [
        against_yardstick(
            work, "psql COPY TO", pairs.walls_s(), pairs.yardstick_walls_s(), limit=_LAKE_RATIO_MAX, is_trial=trial
        ),
        _cpu("  leat's own processor time", pairs, trial),
        _resident("  peak resident memory", pairs, trial),
    ]


def measure_wide(bench: Bench) -> list[Result]:
    rows = round(bench.rows * _WIDE_ROWS_PER_ROW)
    with bench.database(server.fill_wide_orders, rows) as database:
        pairs = compare_lake_with_copy(bench, database, rows, bench.pairs_or(3))
    work = f"{_count(rows)} rows with 2 KB texts to the lake"
    return [
        against_yardstick(work, "psql COPY TO", pairs.walls_s(), pairs.yardstick_walls_s(), limit=None),
        _resident("  peak resident memory", pairs, bench.is_trial()),
    ]


def measure_large(bench: Bench) -> list[Result]:
    rows = bench.rows * LARGE_FACTOR
    pairs_min = 3
    trial = bench.is_trial(pairs_min)
    with (
        bench.database(server.fill_sales_orders, bench.rows) as small,
        bench.database(server.fill_sales_orders, rows) as large,
    ):
        bench.tell(f"  filled {_count(bench.rows)} and {_count(rows)} rows")
        read_into_lake(bench, small)
        read_into_lake(bench, large)
        expect_rows(bench, "totesys.sales_order", rows, bench.folder / "lake")
        pairs = measure_pairs(
            bench, bench.pairs_or(pairs_min), lambda: read_into_lake(bench, large), lambda: read_into_lake(bench, small)
        )
    yardstick = f"leat, {_count(bench.rows)} rows"
    memory_mb = max(usage.resident_bytes_max for usage in pairs.yardstick) / 1e6
    memory = _resident("  peak resident memory", pairs, trial)
    memory.yardstick, memory.yardstick_value = yardstick, memory_mb
    return [
        against_yardstick(
            f"{_count(rows)} rows to the lake",
            yardstick,
            pairs.walls_s(),
            pairs.yardstick_walls_s(),
            limit=_LARGE_RATIO_MAX,
            is_trial=trial,
        ),
        memory,
    ]


# --- lake to warehouse ------------------------------------------------------------------------------------------------


def measure_warehouse(bench: Bench) -> list[Result]:
    """What is measured is a whole run in which only the load is left: the lake is current, the warehouse empty."""
    pairs_min = 5
    with (
        bench.database(server.fill_sales_orders, bench.rows) as source,
        bench.database() as warehouse,
        bench.database() as yardstick,
    ):
        dump = bench.folder / "sales_order.copy"
        bench.copy_to_file(source, dump)
        folder = projects.write_warehouse_project(bench.folder / "warehouse", source, warehouse)
        bench.leat.run("run", cwd=folder)
        _expect_loaded(warehouse, bench.rows)
        pairs = measure_pairs(
            bench,
            bench.pairs_or(pairs_min),
            lambda: _load_warehouse(bench, warehouse, folder),
            lambda: _copy_into(bench, yardstick, dump),
        )
        _expect_loaded(warehouse, bench.rows)
    dump.unlink()
    return [
        against_yardstick(
            f"{_count(bench.rows)} rows to an empty warehouse table with key",
            "psql COPY FROM",
            pairs.walls_s(),
            pairs.yardstick_walls_s(),
            limit=_WAREHOUSE_RATIO_MAX,
            is_trial=bench.is_trial(pairs_min),
        ),
        _resident("  peak resident memory", pairs, limit=None),
    ]


def _load_warehouse(bench: Bench, warehouse: Database, folder: pathlib.Path) -> process.Usage:
    # A new database and not an emptied table: neither dead rows nor a ledger are left.
    bench.cluster.drop_database(warehouse.name)
    bench.cluster.create_database(warehouse.name)
    bench.cluster.checkpoint()
    return bench.leat.run("run", "mart.sales_order", cwd=folder)


def _copy_into(bench: Bench, database: Database, dump: pathlib.Path) -> process.Usage:
    server.make_empty_sales_order(database)
    bench.cluster.checkpoint()
    return bench.copy_in(database, dump)


def _expect_loaded(warehouse: Database, rows: int) -> None:
    found = warehouse.value("SELECT count(*) FROM sales_order")
    if found != rows:
        raise WrongAnswer(f"the warehouse has {found} rows after the load; {rows} were in the source")


# --- what changed, through to the warehouse ---------------------------------------------------------------------------


def measure_changes(bench: Bench) -> list[Result]:
    """A run that finds 10,000 changed rows, spread over the whole table, and brings them to the warehouse."""
    tries = bench.pairs_or(7)
    rows_changed = min(_CHANGED_ROWS, bench.rows)
    with bench.database(server.fill_sales_orders, bench.rows) as source, bench.database() as warehouse:
        folder = projects.write_history_project(bench.folder / "changes", source, warehouse)
        bench.leat.run("run", cwd=folder)
        _expect_loaded(warehouse, bench.rows)
        usages = []
        for number in range(tries):
            source.execute(
                f"UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id % {bench.rows // rows_changed} = {number}"
            )
            bench.cluster.checkpoint()
            usages.append(bench.leat.run("run", cwd=folder))
            bench.tell(f"  try {number + 1} of {tries}: {usages[-1].wall_s:.2f} s (cpu {usages[-1].cpu_s:.2f} s)")
            _expect_loaded(warehouse, bench.rows + (number + 1) * rows_changed)
    walls_s = [usage.wall_s for usage in usages]
    pairs = Pairs(leat=usages)
    return [
        against_limit(
            f"{_count(rows_changed)} changed rows of {_count(bench.rows)} through to the warehouse",
            "s",
            statistics.median(walls_s),
            _CHANGED_S_MAX,
            samples=walls_s,
            is_trial=bench.is_trial(),
        ),
        _resident("  peak resident memory", pairs, bench.is_trial(), limit=None),
    ]


# --- pages of an API ---------------------------------------------------------------------------------------------------

_READ_JSON = """
import sys, duckdb
connection = duckdb.connect()
connection.execute("SET threads = 2; SET enable_progress_bar = false")
connection.execute(f"CREATE TABLE pages AS SELECT unnest(list) AS record FROM read_json('{sys.argv[1]}/*.json.gz')")
print(connection.execute("SELECT count(*) FROM pages").fetchone()[0])
"""


def measure_pages(bench: Bench) -> list[Result]:
    """Nested pages from a server on this machine to a parent, three child tables and landing, in one commit."""
    pairs_min = 5
    with _pages(bench, _PAGES_BYTES) as (pages, url, records):
        _read_pages(bench, url)
        folder = bench.folder / "api"
        expect_rows(bench, "billing.subscriptions", records, folder)
        for child, rows in api.children_of(records).items():
            expect_rows(bench, f"billing.subscriptions__{child}", rows, folder)
        pairs = measure_pairs(
            bench, bench.pairs_or(pairs_min), lambda: _read_pages(bench, url), lambda: _read_json(pages, records)
        )
        shutil.rmtree(folder, ignore_errors=True)
    trial = bench.pairs_or(pairs_min) < pairs_min
    return [
        against_yardstick(
            f"{_PAGES_BYTES // 1_000_000} MB of nested pages to four tables",
            "DuckDB read_json, one table",
            pairs.walls_s(),
            pairs.yardstick_walls_s(),
            limit=_PAGES_RATIO_MAX,
            is_trial=trial,
        ),
        _resident("  peak resident memory", pairs, limit=None),
    ]


def measure_pages_beside_dlt(bench: Bench) -> list[Result]:
    """A tenth of the same beside dlt, where LEAT_DLT names a Python that has it."""
    python = os.environ.get("LEAT_DLT")
    if not python:
        bench.tell("  left out: LEAT_DLT names no Python that has dlt[duckdb]")
        return []
    with _pages(bench, _PAGES_BYTES // 10) as (_, url, _records):
        pairs = measure_pairs(bench, bench.pairs_or(3), lambda: _read_pages(bench, url), lambda: _read_with_dlt(python, url))
    return [
        against_yardstick(
            f"{_PAGES_BYTES // 10_000_000} MB of nested pages to four tables",
            "dlt into DuckDB",
            pairs.walls_s(),
            pairs.yardstick_walls_s(),
            limit=None,
        )
    ]


@contextlib.contextmanager
def _pages(bench: Bench, size_bytes: int) -> Iterator[tuple[pathlib.Path, str, int]]:
    pages = bench.folder / "pages"
    records, written = api.write_pages(pages, size_bytes)
    bench.tell(f"  {written / 1e6:.0f} MB in {records // api.PAGE_RECORDS} pages, {records} records")
    try:
        with api.serve(pages) as url:
            yield pages, url, records
    finally:
        shutil.rmtree(pages, ignore_errors=True)


def _read_pages(bench: Bench, url: str) -> process.Usage:
    return bench.leat.run("run", cwd=projects.write_api_project(bench.folder / "api", url))


def _read_json(pages: pathlib.Path, records: int) -> process.Usage:
    usage = process.run([sys.executable, "-c", _READ_JSON, str(pages)])
    if int(usage.stdout) != records:
        raise WrongAnswer(f"read_json found {usage.stdout} records of {records}")
    return usage


def _read_with_dlt(python: str, url: str) -> process.Usage:
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "RUNTIME__DLTHUB_TELEMETRY": "false"}
        script = pathlib.Path(__file__).with_name("with_dlt.py")
        return process.run([python, str(script), url], cwd=pathlib.Path(folder), env=environment)


# --- small things, often ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def loaded_shop(bench: Bench) -> Iterator[pathlib.Path]:
    """The shop template with its warehouse, after its first run."""
    folder = bench.folder / "shop"
    with bench.database(server.fill_shop) as source, bench.database() as warehouse:
        bench.leat.run(
            "init", "shop", "--template", "shop", "--source", source.url(), "--warehouse", warehouse.url(), cwd=bench.folder
        )
        bench.leat.run("run", cwd=folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def measure_idle(bench: Bench) -> list[Result]:
    with loaded_shop(bench) as folder:
        bench.leat.run("run", cwd=folder)
        tries = [bench.leat.run("run", cwd=folder) for _ in range(TRIES)]
    walls_s = [usage.wall_s for usage in tries]
    return [
        against_limit("run with nothing to do, 11 tables", "s", percentile_95(walls_s), _IDLE_S_MAX, samples=walls_s)
    ]


def measure_many_runs(bench: Bench) -> list[Result]:
    """A day and three quarters of five-minute runs, one right after the other, each with what a busy hour may bring."""
    runs = _MANY_RUNS
    span = 10  # runs before and at the mark: one alone would be noise
    with bench.database(server.fill_shop) as source, bench.database() as warehouse:
        bench.leat.run(
            "init", "many_runs", "--template", "shop", "--source", source.url(), "--warehouse", warehouse.url(), cwd=bench.folder
        )
        folder = bench.folder / "many_runs"
        walls_s = []
        for number in range(1, runs + 1):
            server.sell(source, number)
            walls_s.append(bench.leat.run("run", cwd=folder).wall_s)
            if number % 50 == 0:
                bench.tell(f"  run {number} of {runs}: {statistics.median(walls_s[-span:]):.3f} s")
        shutil.rmtree(folder, ignore_errors=True)
    early_s, late_s = walls_s[_EARLY_RUN - span : _EARLY_RUN], walls_s[-span:]
    return [
        against_yardstick(
            f"run {runs} of a shop that changes at each", f"leat, run {_EARLY_RUN}", late_s, early_s, limit=_LATE_RATIO_MAX
        )
    ]


def measure_start(bench: Bench) -> list[Result]:
    results = [
        _start(bench, "leat --help", ["--help"], bench.folder, _HELP_MS_MAX),
        _start(bench, "leat completion bash", ["completion", "bash"], bench.folder, _COMPLETION_MS_MAX),
    ]
    with loaded_shop(bench) as folder:
        results += [
            _start(bench, "Tab after leat run", ["__complete", "leat run "], folder, _COMPLETION_MS_MAX),
            _start(bench, "leat status", ["status"], folder, _STATUS_MS_MAX),
            _start(bench, "leat preview -n 20", ["preview", "mart.fact_sales_order", "-n", "20"], folder, _PREVIEW_MS_MAX),
        ]
    with bench.database(server.fill_shop) as source:
        folder = projects.write_many_models_project(bench.folder / "many", source, MODELS)
        # So that the columns of the streams are known and no server is asked, as in everyday work.
        bench.leat.run("run", "source:totesys", cwd=folder)
        results.append(_start(bench, f"leat validate, {MODELS} models", ["validate"], folder, _VALIDATE_MS_MAX))
    return results


def _start(bench: Bench, work: str, arguments: list[str], folder: pathlib.Path, limit_ms: float) -> Result:
    bench.leat.run(*arguments, cwd=folder)
    walls_ms = [bench.leat.run(*arguments, cwd=folder).wall_s * 1000 for _ in range(TRIES)]
    bench.tell(f"  {work}: median {statistics.median(walls_ms):.0f} ms")
    return against_limit(work, "ms", percentile_95(walls_ms), limit_ms, samples=walls_ms)


# --- being asked to stop ----------------------------------------------------------------------------------------------

# Longer than anybody will wait.
_ENDLESS = "SELECT count(*) AS n FROM range(1000000000000) t(i) JOIN totesys.staff ON i % 7 = staff_id"


def measure_stop(bench: Bench) -> list[Result]:
    """From Ctrl-C to the end of the process, in each phase of a run and in a query."""
    with loaded_shop(bench) as folder, bench.database(server.fill_shop) as source:
        (folder / "models" / "mart" / "endless.sql").write_text(_ENDLESS, encoding="utf-8")
        locked = projects.write_many_models_project(bench.folder / "locked", source, 1)
        with source.connect(autocommit=False) as connection:
            connection.execute("LOCK TABLE sales_order IN ACCESS EXCLUSIVE MODE")
            extract = _stop(bench, "Ctrl-C while a run reads", ["run"], locked)
        return [
            extract,
            _stop(bench, "Ctrl-C while a run builds", ["run", "mart.endless"], folder),
            _stop(bench, "Ctrl-C in a query", ["query", _ENDLESS], folder),
        ]


def _stop(bench: Bench, work: str, arguments: list[str], folder: pathlib.Path) -> Result:
    walls_ms = [bench.leat.stop(*arguments, cwd=folder, after_s=_AT_WORK_S) * 1000 for _ in range(TRIES)]
    bench.tell(f"  {work}: median {statistics.median(walls_ms):.0f} ms")
    return against_limit(work, "ms", percentile_95(walls_ms), _STOP_MS_MAX, samples=walls_ms)


# --- lines that several share -----------------------------------------------------------------------------------------


def _cpu(work: str, pairs: Pairs, is_trial: bool) -> Result:
    return against_limit(work, "s", statistics.median(pairs.cpu_s()), _CPU_S_MAX, samples=pairs.cpu_s(), is_trial=is_trial)


def _resident(work: str, pairs: Pairs, is_trial: bool = False, limit: float | None = _RESIDENT_MB_MAX) -> Result:
    return against_limit(work, "MB", max(pairs.resident_mb()), limit, samples=pairs.resident_mb(), is_trial=is_trial)


def _count(rows: int) -> str:
    if rows % 1_000_000 == 0:
        return f"{rows // 1_000_000} M"
    return f"{rows // 1000} k" if rows % 1000 == 0 else str(rows)


@dataclasses.dataclass(frozen=True)
class Work:
    """An entry of the table of measurements."""

    letter: str
    title: str
    measure: Callable[[Bench], list[Result]]
    disk_bytes_per_row: int  # of free space that it needs at its greatest


# Bytes: table 109, its key 22, write-ahead log 150, lake 20; a load has log, table and key twice, and the dump.
WORKS = [
    Work("a", "PostgreSQL to the lake", measure_lake, 300),
    Work("b", "wide rows to the lake", measure_wide, 1200),
    Work("c", "lake to an empty warehouse table", measure_warehouse, 1100),
    Work("d", "run with nothing to do", measure_idle, 0),
    Work("e", "start of commands", measure_start, 0),
    Work("f", "changed rows through to the warehouse", measure_changes, 1100),
    Work("g", "500 runs", measure_many_runs, 0),
    Work("h", "Ctrl-C", measure_stop, 0),
    Work("i", "pages of an API to the lake", measure_pages, 0),
    Work("j", "the same beside dlt", measure_pages_beside_dlt, 0),
]
LARGE = Work("large", "ten times the rows to the lake", measure_large, 300 * (LARGE_FACTOR + 1))

"""A small project whose every row is known: a PostgreSQL source, its lake, its models, a PostgreSQL warehouse.

`mutate` changes the source, `run` has leat bring it through, `verify` looks at everything with others' eyes: psycopg,
sqlite3, PyIceberg and plain Python. What a history must hold is kept here, from what psycopg reads after each `mutate`.
"""

import collections
import contextlib
import dataclasses
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import psycopg
import pyarrow.parquet
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from support.positions import Positions
from support.postgres import Cluster

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
READER, WRITER = "leat_reader", "leat_writer"
PASSWORD = "pass word"

ORDERS, CUSTOMERS = 2000, 200
HANG_S = 60

SCHEMA = f"""
CREATE TYPE mood AS ENUM ('calm', 'keen', 'cross');
CREATE TABLE customer (customer_id int PRIMARY KEY, name text NOT NULL, mood mood, note text);
INSERT INTO customer SELECT i, 'customer ' || i, (ARRAY['calm', 'keen', NULL, 'cross']::mood[])[1 + i % 4],
  CASE WHEN i % 3 > 0 THEN 'note ' || i END FROM generate_series(1, {CUSTOMERS}) i;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, amount numeric(10,2),
  units int NOT NULL, updated_at timestamp NOT NULL);
INSERT INTO orders SELECT i, 1 + i % {CUSTOMERS - 20}, i * 1.25, 1 + i % 3, '2024-01-01'::timestamp + i * interval '1 minute'
  FROM generate_series(1, {ORDERS}) i;
CREATE TABLE order_line (order_id int, line int, product text, quantity int, PRIMARY KEY (order_id, line));
INSERT INTO order_line SELECT i, l, 'product ' || (i * l) % 17, i % 5
  FROM generate_series(1, {ORDERS}, 8) i, generate_series(1, 2) l;
CREATE TABLE visit (page text, seconds int);
INSERT INTO visit SELECT 'page ' || i % 7, i % 13 FROM generate_series(1, 120) i;
"""

# Key columns, and all columns in the order they are compared in.
STREAMS = {
    "customer": (("customer_id",), ("customer_id", "name", "mood", "note")),
    "orders": (("order_id",), ("order_id", "customer_id", "amount", "units", "updated_at")),
    "order_line": (("order_id", "line"), ("order_id", "line", "product", "quantity")),
    "visit": ((), ("page", "seconds")),
}

MODELS = {
    "fact_order": """/* ---
kind: history
key: order_id
record_id: order_record_id
checks:
  - references: {customer_id: mart.dim_customer}
--- */
SELECT order_id, customer_id, amount, units, updated_at FROM src.orders__history
""",
    "dim_customer": """/* ---
key: customer_id
keep_deleted: true
checks:
  - not_null: [name]
--- */
SELECT customer_id, name, mood, note FROM src.customer
""",
    "order_total": """/* ---
key: order_id
--- */
SELECT o.order_id, c.name AS customer, o.amount, sum(l.quantity)::BIGINT AS quantity
FROM src.orders o JOIN src.customer c USING (customer_id) LEFT JOIN src.order_line l USING (order_id)
GROUP BY ALL
""",
    "page": """/* ---
key: page
--- */
SELECT page, count(*) AS visits, sum(seconds)::BIGINT AS seconds FROM src.visit GROUP BY page
""",
}
COLUMNS = {
    "fact_order": ("order_record_id", "order_id", "customer_id", "amount", "units", "updated_at"),
    "dim_customer": ("customer_id", "name", "mood", "note"),
    "order_total": ("order_id", "customer", "amount", "quantity"),
    "page": ("page", "visits", "seconds"),
}

SOURCE = """\
type: postgres
connection: source
streams:
  "*": {deletes: every_run}
"""


class Wrong(AssertionError):
    """leat broke a promise."""


def require(condition, message: str) -> None:
    if not condition:
        raise Wrong(message)


def require_equal(found, expected, what: str) -> None:
    require(found == expected, f"{what}: {found!r}; expected {expected!r}")


def require_same_rows(found: list[tuple], expected: list[tuple], what: str) -> None:
    """The same rows as often, in any order."""
    have, want = collections.Counter(found), collections.Counter(expected)
    if have == want:
        return
    absent, surplus = list((want - have).elements()), list((have - want).elements())
    raise Wrong(f"{what}: {len(absent)} absent, such as {absent[:3]}; {len(surplus)} too many, such as {surplus[:3]}")


def program(name: str = "leat") -> pathlib.Path:
    """build/leat, build/leat-faults or build/libnth.so; LEAT_FAULTS_BUILD names another folder to find them in."""
    folder = os.environ.get("LEAT_FAULTS_BUILD")
    path = pathlib.Path(folder or CHECKOUT / "build") / name
    require(path.exists(), f"{path} is absent; run `make faults-build`")
    return path.resolve()


@contextlib.contextmanager
def running_cluster():
    """A server with the database that every world's source is a copy of."""
    # The wait for a flushed log would make each first run as slow as the log writer sleeps.
    with Cluster({"synchronous_commit": "on", "wal_writer_delay": "10ms", "autovacuum": "off"}) as cluster:
        for role in (READER, WRITER):
            cluster.create_role(role, PASSWORD)
        template = cluster.create_database("world")
        template.execute(SCHEMA)
        template.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")
        yield cluster


@dataclasses.dataclass
class Run:
    """How one run ended."""

    pid: int
    code: int
    output: str
    duration_s: float

    def require_honest(self) -> None:
        """It said what was wrong, as something that is not our fault, and ended by itself."""
        tail = "\n".join(self.output.splitlines()[-15:])
        require(self.code in (0, 1, 2, 3), f"exit code {self.code}\n{tail}")
        require((self.code == 0) != ("error[LEAT" in self.output), f"exit code {self.code} and what was said differ\n{tail}")
        require("LEAT99" not in self.output, f"an internal error\n{tail}")

    def require_green(self) -> None:
        require(self.code == 0, f"a clean run ended with {self.code}\n" + "\n".join(self.output.splitlines()[-15:]))


class World:
    """One project in a folder of its own, with two databases. `drop` removes all of it.

    `ports` are those of proxies before the source and the warehouse, by connection name.
    """

    def __init__(self, cluster: Cluster, ports: dict[str, int] | None = None, threads: int = 1) -> None:
        self.cluster = cluster
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-world-"))
        self.project = self.folder / "project"
        self.source = cluster.create_database(template="world")
        self.warehouse = cluster.create_database(owner=WRITER)
        self._write_project(ports or {}, threads)
        self._psycopg: dict[str, psycopg.Connection] = {}
        self._catalog: SqlCatalog | None = None
        self._tables: dict[str, Table] = {}  # by metadata location
        self._rows: dict[str, list[dict]] = {}  # by data file: names are used once
        self._entries: dict[str, list[str]] = {}  # data files by manifest
        self._files: dict[str, list[str]] = {}  # data files by metadata location
        self.versions: dict[str, dict[tuple, list[tuple]]] = {name: {} for name in STREAMS if STREAMS[name][0]}
        self._seen_customers: dict[tuple, tuple] = {}
        self._positions: dict[str, tuple] = {}
        self._records: list[tuple] = []

    def drop(self) -> None:
        for connection in self._psycopg.values():
            connection.close()
        if self._catalog is not None:
            self._catalog.close()
        for database in (self.source, self.warehouse):
            self.cluster.drop_database(database.name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_project(self, ports: dict[str, int], threads: int) -> None:
        def connection(name: str, database: str, user: str) -> str:
            port = ports.get(name, self.cluster.port)
            return f"  {name}: {{type: postgres, host: 127.0.0.1, port: {port}, database: {database}, user: {user}}}\n"

        self._write(
            "leat.yaml",
            "name: world\nconnections:\n"
            + connection("source", self.source.name, READER)
            + connection("warehouse", self.warehouse.name, WRITER)
            + 'warehouse: {connection: warehouse, load: ["mart.*"]}\n'
            + f"limits: {{threads: {threads}}}\n",
        )
        self._write("sources/src.yaml", SOURCE)
        for name, text in MODELS.items():
            self._write(f"models/mart/{name}.sql", text)
        home = self.folder / "home"
        home.mkdir()
        (home / ".pgpass").write_text("".join(f"127.0.0.1:*:*:{role}:{PASSWORD}\n" for role in (READER, WRITER)))
        (home / ".pgpass").chmod(0o600)
        self._environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "TZ": "America/New_York", "LANG": "C.UTF-8"}

    def _write(self, path: str, text: str) -> None:
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def connect(self, database) -> psycopg.Connection:
        if database.name not in self._psycopg:
            self._psycopg[database.name] = database.connect()
        return self._psycopg[database.name]

    # --- runs ---

    def start(self, *, binary: str = "leat", env: dict[str, str] | None = None) -> subprocess.Popen:
        self._output = tempfile.TemporaryFile(mode="w+", dir=self.folder)
        self._started = time.monotonic()
        return subprocess.Popen(
            [str(program(binary)), "run", "--no-color"],
            cwd=self.project,
            env=self._environment | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def finish(self, process: subprocess.Popen) -> Run:
        try:
            code = process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait()
            raise Wrong(f"the run did not end within {HANG_S} s") from None
        duration_s = time.monotonic() - self._started
        with self._output as output:
            output.seek(0)
            return Run(process.pid, code, output.read(), duration_s)

    def run(self, **options) -> Run:
        return self.finish(self.start(**options))

    # --- the source ---

    def mutate(self, rng: random.Random) -> None:
        """A few transactions, some of which are taken back as a whole or in part."""
        connection = self.connect(self.source)
        for _ in range(rng.randint(2, 6)):
            connection.execute("BEGIN")
            for _ in range(rng.randint(1, 4)):
                undone = rng.random() < 0.25
                if undone or rng.random() < 0.25:
                    connection.execute("SAVEPOINT s")
                    self._change(connection, rng)
                    connection.execute("ROLLBACK TO SAVEPOINT s" if undone else "RELEASE SAVEPOINT s")
                else:
                    self._change(connection, rng)
            connection.execute("ROLLBACK" if rng.random() < 0.15 else "COMMIT")

    def change_every_stream(self, number: int) -> None:
        """So that the next run has something to do for each."""
        connection = self.connect(self.source)
        connection.execute("UPDATE customer SET note = %s WHERE customer_id = 1", [f"round {number}"])
        connection.execute("UPDATE orders SET amount = 1000 + %s WHERE customer_id = 1", [number])
        connection.execute("INSERT INTO order_line VALUES (-1 - %s, 1, 'product', 1) ON CONFLICT DO NOTHING", [number])
        connection.execute("INSERT INTO visit VALUES ('page 0', 1)")

    def _change(self, connection: psycopg.Connection, rng: random.Random) -> None:
        order = rng.randint(1, ORDERS + 50)
        moved = ", updated_at = clock_timestamp()" if rng.random() < 0.5 else ""
        few = rng.randint(1, 3)  # so that a row comes back to values that it had
        of_customer = rng.randint(1, CUSTOMERS)
        without_orders = rng.randint(CUSTOMERS - 19, CUSTOMERS + 9)
        with_lines = order // 8 * 8 + 1
        statement, *parameters = rng.choice(
            [
                (f"UPDATE orders SET units = %s{moved} WHERE order_id = %s", few, order),
                (f"UPDATE orders SET amount = %s{moved} WHERE order_id %% 97 = %s", few, order % 97),
                ("UPDATE orders SET units = units WHERE order_id = %s", order),
                ("DELETE FROM orders WHERE order_id = %s", order),
                (
                    "INSERT INTO orders VALUES (%s, 1 + %s %% 100, 5.5, 2, '2024-05-05') "
                    "ON CONFLICT (order_id) DO UPDATE SET units = 1",
                    order,
                    order,
                ),
                ("INSERT INTO order_line VALUES (%s, %s, 'more', 1) ON CONFLICT DO NOTHING", order, few),
                ("UPDATE order_line SET quantity = %s WHERE order_id = %s", few, with_lines),
                ("DELETE FROM order_line WHERE order_id = %s", with_lines),
                ("UPDATE customer SET name = %s WHERE customer_id = %s", f"name {few}", of_customer),
                (
                    "UPDATE customer SET mood = %s, note = %s WHERE customer_id = %s",
                    rng.choice(["calm", "keen", None]),
                    rng.choice(["", "x", None]),
                    of_customer,
                ),
                (
                    "DELETE FROM customer WHERE customer_id = %s AND customer_id NOT IN (SELECT customer_id FROM orders)",
                    without_orders,
                ),
                ("INSERT INTO customer VALUES (%s, 'new', 'keen', NULL) ON CONFLICT DO NOTHING", without_orders),
                ("INSERT INTO visit VALUES (%s, 1)", f"page {rng.randint(0, 8)}"),
                ("DELETE FROM visit WHERE page = %s", f"page {rng.randint(6, 8)}"),
            ]
        )
        connection.execute(statement, parameters)

    def _note_truth(self) -> None:
        """What the source holds now, and by that the versions that its reads since the last time must have added."""
        connection = self.connect(self.source)
        self.now: dict[str, list[tuple]] = {}
        for stream, (key, columns) in STREAMS.items():
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM {stream}").fetchall()
            self.now[stream] = rows
            if not key:
                continue
            current = {row[: len(key)]: row for row in rows}
            known = self.versions[stream]
            for of, row in current.items():
                if known.get(of, [None])[-1] != row:
                    known.setdefault(of, []).append(row)
            for of, states in known.items():
                if of not in current and states[-1] is not None:
                    states.append(None)
        for row in self.now["customer"]:
            self._seen_customers[row[:1]] = row

    # --- what leat made of it ---

    @property
    def state_path(self) -> pathlib.Path:
        return self.project / ".leat" / "state.db"

    def state(self, query: str, parameters=()) -> list[tuple]:
        with sqlite3.connect(self.state_path) as state:
            rows = state.execute(query, parameters).fetchall()
        state.close()
        return rows

    def pointers(self) -> dict[str, str]:
        rows = self.state("SELECT table_namespace || '.' || table_name, metadata_location FROM iceberg_tables ORDER BY 1")
        return dict(rows)

    def table(self, name: str, location: str) -> Table:
        if location not in self._tables:
            if self._catalog is None:
                self._catalog = SqlCatalog("world", uri=f"sqlite:///{self.state_path}", init_catalog_tables="false")
            self._tables[location] = self._catalog.load_table(name)
        return self._tables[location]

    def data_files(self, name: str, location: str) -> list[str]:
        """The data files of the current snapshot; that all of the metadata is there is checked on the way."""
        if location not in self._files:
            table = self.table(name, location)
            for snapshot in table.metadata.snapshots:
                require(os.path.exists(_path(snapshot.manifest_list)), f"{name}: {snapshot.manifest_list} is missing")
            found = []
            if snapshot := table.current_snapshot():
                for manifest in snapshot.manifests(table.io):
                    if manifest.manifest_path not in self._entries:
                        entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
                        self._entries[manifest.manifest_path] = [_path(entry.data_file.file_path) for entry in entries]
                    require(os.path.exists(_path(manifest.manifest_path)), f"{name}: {manifest.manifest_path} is missing")
                    found += self._entries[manifest.manifest_path]
            self._files[location] = found
        return self._files[location]

    def lake_rows(self, name: str, location: str) -> list[dict]:
        rows = []
        for file in self.data_files(name, location):
            if file not in self._rows:
                require(os.path.exists(file), f"{name}: {file} is missing")
                self._rows[file] = pyarrow.parquet.ParquetFile(file).read().to_pylist()
            rows += self._rows[file]
        return rows

    # --- the invariants ---

    def check_whole(self) -> None:
        """What holds at any moment, also right after a kill: nothing is half there."""
        if not self.state_path.exists():
            return
        require_equal(self.state("PRAGMA integrity_check"), [("ok",)], "state database")
        if not self.state("SELECT 1 FROM sqlite_schema WHERE name = 'leat_commits'"):
            return
        commits = collections.defaultdict(list)
        for scope, number in self.state("SELECT scope, number FROM leat_commits ORDER BY scope, number"):
            commits[scope].append(number)
        for scope, numbers in commits.items():
            require_equal(numbers, list(range(1, len(numbers) + 1)), f"commits of {scope}")
        self._check_positions(len(commits["source:src"]))
        for name, location in self.pointers().items():
            require(os.path.exists(_path(location)), f"{name}: {location} is missing")
            for file in self.data_files(name, location):
                require(os.path.exists(file), f"{name}: {file} is missing")

    def _check_positions(self, last_commit: int) -> None:
        """A position moves in the transaction that records the read, or not at all."""
        reads = dict(self.state("SELECT table_name, max(run) FROM leat_steps WHERE step = 'extract' GROUP BY 1"))
        for stream, value, number in self.state("SELECT stream, value, commit_number FROM leat_positions"):
            require(number <= last_commit, f"the position of {stream} is of commit {number}; the last is {last_commit}")
            known, read = self._positions.get(stream, (None, 0))
            moved = reads.get(stream, 0) > read
            require(moved or value == known, f"the position of {stream} moved without a read that was published")
            self._positions[stream] = (value, reads.get(stream, 0))

    def age_positions(self) -> None:
        """As if the next run came more than a minute later: one that is too far back then hides nothing any more."""
        if self.state_path.exists() and self.state("SELECT 1 FROM sqlite_schema WHERE name = 'leat_positions'"):
            self.check_whole()
            Positions(self.project).age(61)
            aged = dict(self.state("SELECT stream, value FROM leat_positions"))
            self._positions = {stream: (aged[stream], read) for stream, (_, read) in self._positions.items()}

    def verify(self) -> None:
        """After a clean run: source, lake and warehouse agree, and every history is the one that was.

        Between two calls stands one `mutate` at most, before the runs: else nobody could say which states they saw.
        """
        self._note_truth()
        self.check_whole()
        require_equal(self.state("SELECT number FROM leat_runs WHERE status = 'running'"), [], "runs that never ended")
        pointers = self.pointers()
        for stream in STREAMS:
            name = f"src.{stream}__history"
            require(name in pointers, f"the lake has no {name}")
            self._verify_stream(stream, self.lake_rows(name, pointers[name]))
        warehouse = self.connect(self.warehouse)
        expected = self._expected_models()
        for model, columns in COLUMNS.items():
            name = f"mart.{model}"
            lake = [tuple(row[c] for c in columns) for row in self.lake_rows(name, pointers[name])]
            loaded = warehouse.execute(f"SELECT {', '.join(columns)} FROM {model}").fetchall()
            require_same_rows(loaded, lake, f"{model}, warehouse beside lake")
            if model == "fact_order":
                self._verify_records(sorted(loaded))
            else:
                require_same_rows(lake, expected[model], f"{model}, lake beside source")
        self._verify_ledger(pointers)

    def _verify_stream(self, stream: str, rows: list[dict]) -> None:
        key, columns = STREAMS[stream]
        if not key:
            found = [tuple(row[c] for c in columns) for row in rows]
            return require_same_rows(found, self.now[stream], f"{stream}, lake beside source")
        rows = sorted(rows, key=lambda row: row["_leat_seq"])
        history: dict[tuple, list] = {}
        seqs = set()
        for row in rows:
            of = tuple(row[c] for c in key)
            require((of, row["_leat_seq"]) not in seqs, f"{stream}: {of} is there twice at _leat_seq {row['_leat_seq']}")
            seqs.add((of, row["_leat_seq"]))
            content = tuple(row[c] for c in columns) if row["_leat_op"] == "u" else None
            states = history.setdefault(of, [])
            require(not states or states[-1] != content, f"{stream}: {of} has the same version twice in a row: {content}")
            states.append(content)
        current = [states[-1] for states in history.values() if states[-1] is not None]
        require_same_rows(current, self.now[stream], f"{stream}, lake beside source")
        if history != self.versions[stream]:
            wrong = next(of for of in {**history, **self.versions[stream]} if history.get(of) != self.versions[stream].get(of))
            raise Wrong(f"{stream}: versions of {wrong}: {history.get(wrong)}; expected {self.versions[stream].get(wrong)}")

    def _expected_models(self) -> dict[str, list[tuple]]:
        names = {row[0]: row[1] for row in self.now["customer"]}
        quantity = collections.defaultdict(list)
        for order, _, _, count in self.now["order_line"]:
            quantity[order].append(count)
        pages = collections.defaultdict(list)
        for page, seconds in self.now["visit"]:
            pages[page].append(seconds)
        return {
            "dim_customer": list(self._seen_customers.values()),
            "order_total": [
                (order, names[customer], amount, sum(quantity[order]) if order in quantity else None)
                for order, customer, amount, _, _ in self.now["orders"]
            ],
            "page": [(page, len(seconds), sum(seconds)) for page, seconds in pages.items()],
        }

    def _verify_records(self, records: list[tuple]) -> None:
        require_equal([row[0] for row in records], list(range(1, len(records) + 1)), "record ids of fact_order")
        require_equal(records[: len(self._records)], self._records, "records of fact_order that were there before")
        self._records = records
        history = collections.defaultdict(list)
        for _, *row in records:
            history[(row[0],)].append(tuple(row))
        expected = {of: [row for row in states if row is not None] for of, states in self.versions["orders"].items()}
        require(dict(history) == expected, "fact_order: its versions are not those of the source")

    def _verify_ledger(self, pointers: dict[str, str]) -> None:
        rows = self.connect(self.warehouse).execute(
            "SELECT table_name, snapshot_id, commit_number FROM _leat_loads ORDER BY loaded_at"
        ).fetchall()
        doubled = [row for row, count in collections.Counter(row[:2] for row in rows).items() if count > 1]
        require(not doubled, f"_leat_loads holds a snapshot twice: {doubled}")
        newest = {}
        for name, snapshot, commit in rows:
            require(commit >= newest.get(name, (0, 0))[1], f"_leat_loads: {name} went back to commit {commit}")
            newest[name] = (snapshot, commit)
        for model in MODELS:
            snapshot = self.table(f"mart.{model}", pointers[f"mart.{model}"]).current_snapshot()
            require_equal(newest[model][0], snapshot.snapshot_id, f"{model}: snapshot in _leat_loads")

    def marks(self) -> tuple:
        """Equal before and after a run that had nothing to do."""
        loads = self.connect(self.warehouse).execute("SELECT count(*) FROM _leat_loads").fetchone()
        commits = self.state("SELECT scope, max(number) FROM leat_commits GROUP BY scope ORDER BY 1")
        return self.pointers(), loads, commits

    def run_clean(self, **options) -> Run:
        """The run after a fault needs nobody's help."""
        run = self.run(**options)
        run.require_green()
        self.verify()
        return run

    def run_idle(self) -> None:
        before = self.marks()
        self.run().require_green()
        require_equal(self.marks(), before, "a run without anything to do")


def _path(uri: str) -> str:
    return uri.removeprefix("file://")

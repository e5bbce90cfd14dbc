"""Writers that do to a reader who polls whatever PostgreSQL allows, and the truth about what they did.

Sixteen threads write two tables, `plain` and `parted`, as fast as they can: transactions that commit late, savepoints,
rollbacks, prepared transactions, keys that change or go and come back, stamps that lie in the past. Two of the sixteen write
another database of the same server. A trigger keeps every row version with its place in the order of its key.
"""

import dataclasses
import random
import threading
import time

import psycopg

from support.postgres import Database

# The settings of a cluster that these writers need.
SETTINGS = {"max_prepared_transactions": "40", "deadlock_timeout": "50ms"}
TABLES = ("plain", "parted")
WRITERS = 16
ELSEWHERE = 2

# An application that copies a stamp from elsewhere: content may return to just what it was.
OLD_STAMP = "2020-01-01 00:00:00+00"
_VALUES = 4

_SCHEMA = """
    CREATE TABLE plain (id bigint PRIMARY KEY, v int NOT NULL, updated_at timestamptz NOT NULL);
    CREATE TABLE parted (LIKE plain, PRIMARY KEY (id)) PARTITION BY HASH (id);
    CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE SCHEMA truth;
    CREATE TABLE truth.version (n bigserial, of text, op text, id bigint, v int, updated_at timestamptz);
    CREATE FUNCTION truth.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND OLD.id <> NEW.id THEN
        INSERT INTO truth.version (of, op, id) VALUES (TG_ARGV[0], 'd', OLD.id);
      END IF;
      IF TG_OP <> 'DELETE' THEN
        INSERT INTO truth.version (of, op, id, v, updated_at) VALUES (TG_ARGV[0], 'u', NEW.id, NEW.v, NEW.updated_at);
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON plain FOR EACH ROW EXECUTE FUNCTION truth.note('plain');
    CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON parted FOR EACH ROW EXECUTE FUNCTION truth.note('parted');"""


@dataclasses.dataclass
class Counts:
    committed: int = 0
    late: int = 0
    prepared: int = 0
    rolled_back: int = 0
    lost_a_fight: int = 0  # deadlocks, keys that another took


class Writers:
    """`with Writers(source, elsewhere, commits, seed)`: they run until `source` has seen so many commits."""

    def __init__(self, source: Database, elsewhere: Database, commits: int, seed: int) -> None:
        self.counts = Counts()
        self._source = source
        self._elsewhere = elsewhere
        self._commits = commits
        self._seed = seed
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._guard, args=[number]) for number in range(WRITERS)]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def alive(self) -> bool:
        """Whether there is still somebody at work; raises what a writer died of."""
        if self._failures:
            raise self._failures[0]
        return any(thread.is_alive() for thread in self._threads)

    # --- one writer ---

    def _guard(self, number: int) -> None:
        try:
            dice = random.Random(f"{self._seed}-{number}")
            if number < ELSEWHERE:
                self._write_elsewhere(dice)
            else:
                self._write(number, dice)
        except BaseException as failure:  # noqa: BLE001, handed on by alive()
            self._failures.append(failure)
            self._stop.set()

    def _write(self, number: int, dice: random.Random) -> None:
        with self._source.connect() as connection:
            connection.execute("SET synchronous_commit = off")
            for turn in range(10**9):
                if self._stop.is_set():
                    return
                transaction = _Transaction(dice, number, turn)
                try:
                    # One round trip, unless it rests prepared in between.
                    connection.execute(transaction.script)
                    if transaction.gid:
                        time.sleep(transaction.rest_s)
                        connection.execute(f"{transaction.verdict} PREPARED '{transaction.gid}'")
                except (psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation):
                    connection.execute("ROLLBACK")
                    self._count(lost_a_fight=1)
                    continue
                if transaction.verdict == "COMMIT":
                    self._count(committed=1, late=transaction.is_late, prepared=bool(transaction.gid))
                else:
                    self._count(rolled_back=1)

    def _write_elsewhere(self, dice: random.Random) -> None:
        with self._elsewhere.connect() as connection:
            while not self._stop.is_set():
                pause = dice.uniform(0.3, 2) if dice.random() < 0.05 else dice.uniform(0, 0.02)
                connection.execute(f"BEGIN; SELECT pg_current_xact_id(), pg_sleep({pause}); COMMIT")

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, by in more.items():
                setattr(self.counts, name, getattr(self.counts, name) + by)
            if self.counts.committed >= self._commits:
                self._stop.set()


class _Transaction:
    """One script of SQL. Keys are taken in ascending order, so that few transactions kill each other."""

    def __init__(self, dice: random.Random, writer: int, turn: int) -> None:
        self._dice = dice
        self._newest = turn * WRITERS + writer
        self.is_late = dice.random() < 0.008
        self.gid = f"{writer}-{turn}" if dice.random() < 0.03 else None
        self.rest_s = dice.uniform(0.3, 2) if dice.random() < 0.1 else 0
        self.verdict = "ROLLBACK" if dice.random() < 0.08 else "COMMIT"
        self.script = "; ".join(self._statements())

    def _statements(self):
        yield "BEGIN"
        tables = sorted(self._dice.choice(TABLES) for _ in range(self._dice.randint(1, 4)))
        writes = [self._write(table, place) for place, table in enumerate(tables)]
        late_at = self._dice.randrange(len(writes)) if self.is_late else None
        for place, statement in enumerate(writes):
            if self._dice.random() < 0.3:
                end = self._dice.choice(["RELEASE s", "ROLLBACK TO s"])
                yield f"SAVEPOINT s; {statement}; {end}"
            else:
                yield statement
            if place == late_at:
                yield f"SELECT pg_sleep({self._dice.uniform(0.3, 2)})"
        yield f"PREPARE TRANSACTION '{self.gid}'" if self.gid else self.verdict

    def _write(self, table: str, place: int) -> str:
        dice = self._dice
        key = dice.randrange(self._newest + 1)
        new = self._newest * 4 + place
        value = dice.randrange(_VALUES)
        stamp = f"'{OLD_STAMP}'" if dice.random() < 0.2 else "now()"
        row = f"({new}, {value}, {stamp})"
        choice = dice.random()
        if choice < 0.40:
            return f"INSERT INTO {table} VALUES {row}"
        if choice < 0.80:
            return f"UPDATE {table} SET v = {value}, updated_at = {stamp} WHERE id BETWEEN {key * 4} AND {key * 4 + 3}"
        if choice < 0.85:
            return f"UPDATE {table} SET v = v WHERE id = {key * 4}"
        if choice < 0.87:
            return f"UPDATE {table} SET id = {new} WHERE id = {key * 4}"
        if choice < 0.92:
            return (
                f"WITH gone AS (DELETE FROM {table} WHERE id = {key * 4} RETURNING *) "
                f"INSERT INTO {table} SELECT {new}, v, updated_at FROM gone"
            )
        if choice < 0.96:
            return f"INSERT INTO {table} VALUES ({key * 4}, {value}, {stamp}) ON CONFLICT (id) DO UPDATE SET v = {value}"
        return f"DELETE FROM {table} WHERE id = {key * 4}"


def create_tables(source: Database) -> None:
    source.execute(_SCHEMA)


def true_history(source: Database, table: str) -> dict[int, list[tuple | None]]:
    """Per key the states that were committed, in their order; None is `gone`."""
    found: dict[int, list[tuple | None]] = {}
    versions = "SELECT id, op, v, updated_at FROM truth.version WHERE of = %s ORDER BY n"
    for key, op, value, stamp in source.rows(versions, [table]):
        found.setdefault(key, []).append(None if op == "d" else (value, stamp))
    return found


class NaiveReader:
    """The control: what somebody holds who polls `updated_at > the greatest seen`."""

    def __init__(self, source: Database, table: str) -> None:
        self.rows: dict[int, tuple] = {}
        self._statement = f"SELECT id, v, updated_at FROM {table} WHERE updated_at > %s"
        self._connection = source.connect()
        self._greatest = "-infinity"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop)

    def __enter__(self) -> "NaiveReader":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()
        for _ in range(2):
            self._poll()
        self._connection.close()

    def _loop(self) -> None:
        while not self._stop.wait(0.15):
            self._poll()

    def _poll(self) -> None:
        for key, value, stamp in self._connection.execute(self._statement, [self._greatest]).fetchall():
            self.rows[key] = (value, stamp)
        if self.rows:
            self._greatest = max(stamp for _, stamp in self.rows.values())

"""A throw-away PostgreSQL 15 cluster: made, used by one test process, stopped and removed."""

import ctypes
import dataclasses
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
HOST = "127.0.0.1"
_START_S = 30
_PR_SET_PDEATHSIG = 1

# The superuser is trusted, so that tests can always look; everybody else needs a password, so that a wrong one can be tried.
_HBA = f"""\
local all {SUPERUSER} trust
host  all,replication {SUPERUSER} {HOST}/32 trust
local all all scram-sha-256
host  all all {HOST}/32 scram-sha-256
"""

# Nothing here must survive a crash. The odd time zone shows whoever forgets to ask for UTC.
_SETTINGS = {
    "listen_addresses": HOST,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "ssl": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "Asia/Kolkata",
    "log_min_messages": "warning",
}


def _binary(name: str) -> str:
    debian = pathlib.Path("/usr/lib/postgresql/15/bin") / name
    found = str(debian) if debian.exists() else shutil.which(name)
    assert found, f"{name} of PostgreSQL 15 is absent; run tools/bootstrap"
    return found


def _account() -> dict:
    """Arguments for subprocess: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _stop_with_parent() -> None:
    # A killed test run must not leave a server behind. SIGINT is PostgreSQL's fast shutdown.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@dataclasses.dataclass
class Database:
    """One database of a cluster."""

    cluster: "Cluster"
    name: str

    def url(self, user: str = SUPERUSER) -> str:
        return self.cluster.url(self.name, user=user)

    def connect(self, user: str = SUPERUSER, **options) -> psycopg.Connection:
        return self.cluster.connect(self.name, user=user, **options)

    def execute(self, statement: str, parameters=None) -> None:
        """Run one statement, or several without parameters, as the superuser."""
        with self.connect() as connection:
            connection.execute(statement, parameters)

    def rows(self, query: str, parameters=None) -> list[tuple]:
        with self.connect() as connection:
            return connection.execute(query, parameters).fetchall()

    def value(self, query: str, parameters=None):
        return self.rows(query, parameters)[0][0]


class Cluster:
    """A running server. `start` in a `with` statement, or `stop` it yourself.

    `settings` of the server are added to those of the tests, or replace them.
    """

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        self._settings = _SETTINGS | (settings or {})
        self._account = _account()
        # Not under pytest's folder: that one is closed to other accounts, and a socket's path has at most 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-pg-"))
        self._data = self.folder / "data"
        self._process: subprocess.Popen | None = None
        self._names = itertools.count(1)
        self._passwords: dict[str, str] = {}
        self.host = HOST
        self.port = 0

    def __enter__(self) -> "Cluster":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @staticmethod
    def program(name: str) -> str:
        """The path of a program of this version, such as pg_dump."""
        return _binary(name)

    @property
    def log(self) -> pathlib.Path:
        return self.folder / "server.log"

    def start(self) -> None:
        if self._account:
            os.chown(self.folder, self._account["user"], self._account["group"])
        self._fill_data_folder()
        # Somebody may take the port between our look and the server's; then try another.
        for attempt in range(5):
            self.port = _free_port()
            if self._launch():
                return
        raise AssertionError(f"PostgreSQL did not start:\n{self.log.read_text()}")

    def _fill_data_folder(self) -> None:
        self.tool("initdb", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        (self._data / "pg_hba.conf").write_text(_HBA)

    def tool(self, name: str, *arguments: str) -> None:
        """Run a program of the server's on its data folder, as the account that owns it."""
        done = subprocess.run(
            [_binary(name), "-D", self._data, *arguments], capture_output=True, text=True, cwd=self.folder, **self._account
        )
        assert done.returncode == 0, f"{name} {arguments}\n{done.stdout}{done.stderr}"

    def _launch(self) -> bool:
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [_binary("postgres"), "-D", self._data, "-p", str(self.port), "-k", self.folder, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_stop_with_parent,
                **self._account,
            )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            try:
                self.connect("postgres").close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.02)
        return False

    def stop(self) -> None:
        self.shut_down()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what becomes of it ---

    def shut_down(self, number: signal.Signals = signal.SIGINT) -> None:
        """End the server and keep its data. SIGINT is its fast shutdown, SIGQUIT the immediate one: a crash."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(20)

    def start_again(self) -> None:
        """After `shut_down`, on the same port."""
        assert self._launch(), f"PostgreSQL did not start again:\n{self.log.read_text()}"

    def kill(self, *pids: int) -> None:
        """SIGKILL some of the server's processes, as the out-of-memory killer does, and wait until the server is back."""
        started = "SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        with self.connect("postgres") as connection:
            known = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (%s)", [list(pids)]).fetchone()
            assert known == (len(pids),), f"{pids} are not all the server's"
            before = connection.execute(started).fetchone()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                with self.connect("postgres") as connection:
                    if connection.execute(started).fetchone() not in (None, before):
                        return
            except psycopg.OperationalError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"PostgreSQL did not come back:\n{self.log.read_text()}")

    # --- what is in it ---

    def create_database(self, name: str | None = None, *, template: str = "template0", owner: str = SUPERUSER) -> Database:
        """A new database; without a name, one that is not taken."""
        name = name or f"db_{next(self._names)}"
        with self.connect("postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(template), sql.Identifier(owner)
                )
            )
        return Database(self, name)

    def drop_database(self, name: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def create_role(self, name: str, password: str) -> None:
        """A role that may log in, and nothing else."""
        with self.connect("postgres") as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password))
            )
        self._passwords[name] = password

    def url(self, database: str, *, user: str = SUPERUSER) -> str:
        """Without the password, as leat wants it: that one stands in ~/.pgpass (`pgpass`)."""
        return f"postgresql://{urllib.parse.quote(user, safe='')}@{self.host}:{self.port}/{urllib.parse.quote(database, safe='')}"

    def pgpass(self, **other_passwords: str) -> str:
        """Lines for ~/.pgpass: every role made here; keywords change or add some (`leat_reader="wrong"`)."""
        passwords = self._passwords | other_passwords
        return "".join(f"{self.host}:{self.port}:*:{role}:{password}\n" for role, password in passwords.items())

    def connect(self, database: str, *, user: str = SUPERUSER, autocommit: bool = True, **options) -> psycopg.Connection:
        options.setdefault("password", self._passwords.get(user))
        # Told apart in pg_stat_activity from what is under test.
        return psycopg.connect(
            host=self.host,
            port=self.port,
            dbname=database,
            user=user,
            application_name="leat-test",
            sslmode="disable",
            options="-c timezone=UTC",
            autocommit=autocommit,
            **options,
        )


class Standby(Cluster):
    """A streaming standby of a running cluster; its superuser's `pg_promote()` makes it a primary."""

    def __init__(self, primary: Cluster, settings: dict[str, str] | None = None) -> None:
        super().__init__(primary._settings | (settings or {}))
        self._primary = primary
        self._passwords = primary._passwords

    def _fill_data_folder(self) -> None:
        source = f"host={HOST} port={self._primary.port} user={SUPERUSER} sslmode=disable"
        self.tool("pg_basebackup", "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")

    def caught_up(self, timeout_s: float = 20) -> None:
        """Wait until all that the primary has written is replayed here."""
        with self._primary.connect("postgres") as connection:
            # What was committed without waiting for the log goes out with the next one that waits.
            connection.execute("SET synchronous_commit = on")
            connection.execute("SELECT pg_logical_emit_message(true, 'test', 'flush')")
            (written,) = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
        deadline = time.monotonic() + timeout_s
        with self.connect("postgres") as connection:
            while connection.execute("SELECT pg_last_wal_replay_lsn() < %s::pg_lsn", [written]).fetchone()[0]:
                assert time.monotonic() < deadline, f"the standby did not reach {written}"
                time.sleep(0.02)

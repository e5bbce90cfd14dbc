"""The server's processes at work for a run, and the ids that the server gives to transactions."""

import contextlib
import os
import signal
import subprocess
import time

from support.postgres import Cluster, Database
from support.project import Project
from support.totesys import READER


def sender(project: Project, process: subprocess.Popen) -> int:
    """The server process that sends all rows or all keys of src.item to the run `process`; not one that looks for changes."""
    statement = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = %s
                   AND query ILIKE 'copy%%item%%' AND query NOT ILIKE '%%xmin%%' AND state = 'active'"""
    with project.source.connect() as connection:
        while process.poll() is None:
            for (pid,) in connection.execute(statement, [READER]):
                return pid
    raise AssertionError("the run ended, and nobody was seen to send rows")


@contextlib.contextmanager
def held(process: subprocess.Popen):
    """The program stands still, so that the server cannot send more than fits between them."""
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(0.05)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


# --- transaction ids -----------------------------------------------------------------------------------------------------


def next_id(database: Database) -> int:
    """The id, in 64 bits, that the next transaction gets."""
    return database.value("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")


def burn(database: Database, count: int) -> None:
    """Give ids to transactions that write nothing."""
    with database.connect() as connection:
        connection.execute(f"DO $$ BEGIN FOR i IN 1..{count} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")


def jump(cluster: Cluster, to: int) -> None:
    """Let the server go on with transaction id `to`, a multiple of 32768: there begins a page of its commit log."""
    assert to % 32768 == 0
    freeze(cluster)
    cluster.shut_down()
    cluster.tool("pg_resetwal", "-x", str(to % 2**32), "-e", str(to // 2**32))
    cluster.start_again()


def freeze(cluster: Cluster) -> None:
    """No row needs its writer's id any more, so the next 2³¹ may be given out."""
    with cluster.connect("postgres") as connection:
        connection.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
        names = [name for (name,) in connection.execute("SELECT datname FROM pg_database")]
    for name in names:
        with cluster.connect(name) as connection:
            connection.execute("VACUUM (FREEZE)")


# --- crashes -------------------------------------------------------------------------------------------------------------


class LogWriter:
    """The process that flushes the server's log now and then, held still: what is not flushed is lost in a crash.

    `with LogWriter(cluster) as log_writer: …; log_writer.crash("backend" | "server")`
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __enter__(self) -> "LogWriter":
        with self._cluster.connect("postgres") as connection:
            connection.execute("CHECKPOINT")
            (self._pid,) = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'").fetchone()
        os.kill(self._pid, signal.SIGSTOP)
        return self

    def __exit__(self, *_) -> None:
        self.release()

    def release(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGCONT)

    def crash(self, what: str) -> None:
        """SIGKILL of one backend, or an immediate shutdown of the server; either way it is back afterwards."""
        if what == "backend":
            victim = self._cluster.connect("postgres")
            self._cluster.kill(victim.info.backend_pid, self._pid)
        else:
            os.kill(self._cluster.pid, signal.SIGQUIT)
            # Held still, it does not hear that it is to end; released, it may have ended already.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._cluster.shut_down(signal.SIGQUIT)
            self._cluster.start_again()

"""What would be left after a power cut, or a death in the middle: nothing is published before all it reaches is on disk.

Files are watched by a preloaded library (tests/mutants/trace.c), since what a process wrote survives it in the kernel and
only its fsyncs tell what a machine would have kept. LEAT_FAULTS_BUILD names another folder of programs.
"""

import collections
import math
import pathlib
import random
import subprocess

import pytest
import world
from proxy import Fault, Proxy
from pyiceberg.table import StaticTable
from world import World

TRACE = pathlib.Path(__file__).resolve().parents[1] / "mutants" / "trace.c"


@pytest.fixture(scope="session")
def trace_library(tmp_path_factory) -> pathlib.Path:
    made = tmp_path_factory.mktemp("trace") / "libtrace.so"
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", made, TRACE], check=True)
    return made


@pytest.fixture
def project(cluster):
    made = World(cluster)
    yield made
    made.drop()


class Trace:
    """What one run did to the files below a folder, in order."""

    def __init__(self, log: pathlib.Path) -> None:
        self.writes: dict[str, list[int]] = collections.defaultdict(list)
        self.syncs: dict[str, list[int]] = collections.defaultdict(list)
        self.made: dict[str, int] = {}  # folders
        self.named: dict[str, int] = {}  # files, when their name came into their folder
        self.pointed: dict[str, int] = {}  # metadata by file name, when the state's log first held it
        for at, line in enumerate(log.read_text().splitlines()):
            what, path = line.split(" ", 1)
            if what == "make":
                self.made[path] = at
            elif what == "create":
                self.named[path] = at
            elif what == "rename":
                self.named[path.split(" ")[1]] = at
            elif what == "write":
                self.writes[path].append(at)
            elif what == "sync":
                self.syncs[path].append(at)
            elif what == "point":
                self.pointed.setdefault(path, at)

    def is_synced(self, path: str, after: int, before: float) -> bool:
        return any(after < at < before for at in self.syncs[path])

    def faults_of(self, file: str, commit: int) -> list[str]:
        """Why `file` might not be there, or not whole, after a power cut behind the commit."""
        faults = []
        if not self.is_synced(file, max(self.writes[file]), commit):
            faults.append(f"{file}: no fsync between its last write and the commit")
        path = pathlib.Path(file)
        if not self.is_synced(str(path.parent), self.named[file], commit):
            faults.append(f"{file}: its folder was not fsynced before the commit")
        for folder in path.parents:
            if str(folder) in self.made and not self.is_synced(str(folder.parent), self.made[str(folder)], commit):
                faults.append(f"{folder}: its parent was not fsynced before the commit")
        return faults


def traced_run(project: World, library: pathlib.Path) -> Trace:
    log = project.folder / "trace.log"
    log.unlink(missing_ok=True)
    settings = {"LD_PRELOAD": str(library), "TRACE_PATH": str(project.project), "TRACE_LOG": str(log)}
    project.run(env=settings).require_green()
    return Trace(log)


def path_of(uri: str) -> str:
    return uri.removeprefix("file://")


def files_reached(metadata: str) -> set[str]:
    """The metadata file, and all files of its newest snapshot, through PyIceberg."""
    table = StaticTable.from_metadata(metadata)
    files = {path_of(metadata)}
    if snapshot := table.current_snapshot():
        files.add(path_of(snapshot.manifest_list))
        for manifest in snapshot.manifests(table.io):
            files.add(path_of(manifest.manifest_path))
            files |= {path_of(entry.data_file.file_path) for entry in manifest.fetch_manifest_entry(table.io)}
    return files


def expect_durable(project: World, trace: Trace) -> None:
    faults, checked = [], 0
    for location in project.pointers().values():
        name = pathlib.Path(location).name
        if path_of(location) not in trace.named:
            continue  # of an earlier run
        assert name in trace.pointed, f"{name} was never written to the state's log"
        commit = trace.pointed[name]
        for file in sorted(files_reached(location)):
            if file in trace.named:
                faults += trace.faults_of(file, commit)
                checked += 1
        # What follows a commit relies on it; a sync at the very end may be that of a checkpoint.
        next_file = min((at for at in trace.named.values() if at > commit), default=math.inf)
        if not trace.is_synced(f"{project.state_path}-wal", commit, next_file):
            faults.append(f"{name}: the state's log was not fsynced right after its commit")
    assert not faults, "\n".join(sorted(set(faults)))
    assert checked >= 5


def test_nothing_is_published_before_its_files_are_on_disk(project, trace_library):
    first = traced_run(project, trace_library)
    expect_durable(project, first)
    assert str(project.project / "lake") in first.made  # the folders of a lake are made by its first run
    project.verify()
    project.mutate(random.Random(3))
    project.source.execute("UPDATE orders SET units = units + 1 WHERE order_id < 50")
    expect_durable(project, traced_run(project, trace_library))


def test_positions_and_rows_become_true_together(project):
    """Killed before the rows of a change are in the lake's metadata: nobody may believe that they were read."""
    project.run_clean()
    positions = project.state("SELECT stream, value FROM leat_positions ORDER BY stream")
    project.source.execute("UPDATE orders SET units = units + 1 WHERE order_id = 7")
    run = project.run(binary="leat-faults", env={"LEAT_FAIL": "lake.metadata.before_write:1:kill"})
    assert run.code == -9, run.output
    assert project.state("SELECT stream, value FROM leat_positions ORDER BY stream") == positions
    project.run_clean()


def test_ledger_and_rows_of_the_warehouse_become_true_together(project):
    run = project.run(binary="leat-faults", env={"LEAT_FAIL": "warehouse.load.before_commit:1:kill"})
    assert run.code == -9, run.output
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert project.warehouse.rows(tables) == []
    project.run_clean()


@pytest.mark.parametrize("fault", ["lost_commit", "unsent_commit"])
def test_commit_without_an_answer_is_looked_up(cluster, fault):
    """Carried out, its run is green; not carried out, its run says so."""
    with Proxy(cluster.host, cluster.port) as proxy:
        project = World(cluster, {"warehouse": proxy.port})
        try:
            project.run_clean()
            project.source.execute("UPDATE orders SET units = units + 1 WHERE order_id = 7")
            proxy.arm(Fault(fault))
            run = project.run()
            assert proxy.hits == 1
            assert run.code == (0 if fault == "lost_commit" else 1), run.output
            proxy.disarm()
            project.run_clean()
        finally:
            project.drop()

"""Polling a database under sixteen writers loses, doubles and invents nothing, where a cursor on `updated_at` loses rows.

LEAT_WRITERS_COMMITS and LEAT_WRITERS_SEED change the size and the dice.
"""

import os

import pytest

from support import writers
from support.postgres import Cluster
from support.project import Project, streams
from support.totesys import READER

COMMITS = int(os.environ.get("LEAT_WRITERS_COMMITS", "20000"))
SEED = int(os.environ.get("LEAT_WRITERS_SEED", "1"))


@pytest.fixture
def project(tmp_path):
    """src.plain and src.parted of a server of its own, not read yet. The keys of the second are compared at every run; those
    of the first are not, since a count of rows that is wrong has everything compared and would hide what was lost."""
    with Cluster(writers.SETTINGS) as cluster:
        cluster.create_role(READER, "reader")
        project = Project(cluster, tmp_path, warehouse=False)
        writers.create_tables(project.source)
        project.execute("")
        streams(project, "plain: {deletes: never}", "parted: {deletes: every_run}")
        yield project


def poll(project: Project, totals: dict[str, int]) -> None:
    data = project.run("--json").expect(0).json()["data"]
    assert data["counts_equal"] and data["rows_read"] == data["rows_written"] + data["rows_repeated"]
    totals["runs"] = totals.get("runs", 0) + 1
    for name in ("rows_read", "rows_written", "rows_repeated", "rows_deleted"):
        totals[name] = totals.get(name, 0) + data[name]


def lake_versions(project: Project, table: str) -> dict[int, list[tuple | None]]:
    """Per key the versions of the lake, oldest first, in the shape of `writers.true_history`."""
    with project.lake() as lake:
        rows = lake.rows(f"src.{table}__history")
    found: dict[int, list[tuple | None]] = {}
    for row in sorted(rows, key=lambda row: row["_leat_seq"]):
        found.setdefault(row["id"], []).append((row["v"], row["updated_at"]) if row["_leat_op"] == "u" else None)
    return found


def is_part_of(versions: list, history: list) -> bool:
    """Whether the versions were all there, in this order."""
    states = iter(history)
    return all(version in states for version in versions)


def lost(held: dict[int, tuple], source: dict[int, tuple]) -> set[int]:
    """Keys of the source that are absent from what is held, or stale there."""
    return {key for key, row in source.items() if held.get(key) != row}


@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_invented(project, capsys):
    elsewhere = project.pg.create_database()
    totals: dict[str, int] = {}
    with writers.NaiveReader(project.source, "plain") as naive:
        with writers.Writers(project.source, elsewhere, COMMITS, SEED) as crowd:
            while crowd.alive():
                poll(project, totals)
    for _ in range(2):
        poll(project, totals)

    source = {
        table: {key: row for key, *row in project.source.rows(f"SELECT id, v, updated_at FROM {table}")}
        for table in writers.TABLES
    }
    source = {table: {key: tuple(row) for key, row in rows.items()} for table, rows in source.items()}
    naive_lost = lost(naive.rows, source["plain"])
    honest = {key for key in naive_lost if source["plain"][key][1].year != 2020}
    with capsys.disabled():
        print(f"\nseed {SEED}: {crowd.counts}\n{totals}, {sum(map(len, source.values()))} rows at the end")
        print(f"the naive cursor lost {len(naive_lost)} of {len(source['plain'])} rows, {len(honest)} of them honestly stamped")

    assert crowd.counts.committed >= COMMITS
    assert min(crowd.counts.late, crowd.counts.prepared, crowd.counts.rolled_back) > 0
    for table in writers.TABLES:
        versions, history = lake_versions(project, table), writers.true_history(project.source, table)
        current = {key: states[-1] for key, states in versions.items() if states[-1] is not None}
        assert not lost(current, source[table])
        kept = set(current) - set(source[table])
        assert {history[key][-1] for key in kept} <= {None} and bool(kept) == (table == "plain")
        # No version twice in a row, none that never was, none out of order.
        assert not [key for key, states in versions.items() if any(a == b for a, b in zip(states, states[1:]))]
        assert not [key for key, states in versions.items() if not is_part_of(states, history[key])]
        assert len(project.query(f"SELECT id FROM src.{table}")) == len(current)
    # The writers are as bad as they should be.
    assert honest
    streams(project, '"*": {deletes: every_run}')
    assert project.run("--json").expect(0).json()["data"]["rows_written"] == 0
    assert len(project.query("SELECT id FROM src.plain")) == len(source["plain"])

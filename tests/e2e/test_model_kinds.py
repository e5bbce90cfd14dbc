"""Models of kind incremental and scd2, and streams as they were at a moment, over a source that changes from run to run.

What they must hold is worked out here in Python, from what psycopg saw in the source after each change.
"""

import dataclasses
import datetime
import random

import pytest

from support.project import Project, diagnostics, outcome

TABLE = "CREATE TABLE sale (id int PRIMARY KEY, shop text, price numeric(9,2))"
NEWEST = """\
SELECT id, shop, price FROM src.sale__history WHERE _leat_time > $since AND _leat_op = 'u'
QUALIFY row_number() OVER (PARTITION BY id ORDER BY _leat_seq DESC) = 1
"""
RUNS = 6


@dataclasses.dataclass
class Past:
    """The rows of the source, by id, at the moments at which they were read."""

    moments: list[datetime.datetime] = dataclasses.field(default_factory=list)
    rows: list[dict[int, tuple]] = dataclasses.field(default_factory=list)

    def newest_ever_seen(self) -> list[tuple]:
        """What an incremental model has: it never sees that a row is gone."""
        seen = {}
        for rows in self.rows:
            seen |= rows
        return sorted(seen.values())

    def intervals(self) -> list[tuple]:
        """Row, valid_from, valid_to, is_current."""
        found = []
        for key in {key for rows in self.rows for key in rows}:
            begin, row = None, None
            for moment, rows in zip(self.moments, self.rows):
                now = rows.get(key)
                if now == row:
                    continue
                if row:
                    found.append((*row, begin, moment, False))
                begin, row = moment, now
            if row:
                found.append((*row, begin, None, True))
        return sorted(found, key=repr)


def change(project: Project, step: int) -> None:
    """Rows come, change, go and return."""
    dice = random.Random(step)
    with project.source.connect() as connection:
        for key in dice.sample(range(40), 12):
            connection.execute(
                "INSERT INTO sale VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET shop = excluded.shop, price = excluded.price",
                (key, dice.choice(["Leeds", "York", None]), dice.choice([None, "1.50", "20.00"])),
            )
        connection.execute("DELETE FROM sale WHERE id = ANY(%s)", (dice.sample(range(40), 6),))


def read_moment(project: Project) -> datetime.datetime:
    """When the last run read: the greatest `_leat_time`, seen by PyIceberg."""
    with project.lake() as lake:
        return max(row["_leat_time"] for row in lake.rows("src.sale__history"))


@pytest.fixture(scope="module")
def shop(pg, tmp_path_factory):
    """A project after six runs, and what the source held at each."""
    project = Project(pg, tmp_path_factory.mktemp("kinds"), TABLE)
    project.model("newest", NEWEST, "kind: incremental\nkey: id")
    project.model("spans", "SELECT id, shop, price FROM src.sale__history", "kind: scd2\nkey: id")
    project.model("dear", "SELECT id, price FROM src.sale__history WHERE price > 2", "kind: scd2\nkey: id")
    past = Past()
    for step in range(RUNS):
        change(project, step)
        project.run().expect(0)
        past.moments.append(read_moment(project))
        past.rows.append({row[0]: row for row in project.source.rows("SELECT id, shop, price FROM sale")})
        assert project.loaded("newest") == sorted(past.newest_ever_seen(), key=repr)
        assert project.loaded("spans") == past.intervals()
    assert len(set(past.moments)) == RUNS
    yield project, past
    project.drop()


def test_incremental_model_has_the_newest_row_of_each_key(shop):
    project, past = shop
    assert project.lake_rows("mart.newest", "id", "shop", "price") == sorted(past.newest_ever_seen(), key=repr)


def test_scd2_model_has_each_span_of_each_row(shop):
    project, past = shop
    columns = ("id", "shop", "price", "valid_from", "valid_to", "is_current")
    assert project.lake_rows("mart.spans", *columns) == past.intervals()
    assert project.warehouse.rows(
        "SELECT attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND attnum = ANY(indkey) "
        "WHERE indisprimary AND indrelid = 'spans'::regclass ORDER BY attnum"
    ) == [("id",), ("valid_from",)]


def test_row_that_where_leaves_out_ends_its_span(shop):
    project, past = shop
    dear = Past(past.moments, [{k: (k, row[2]) for k, row in rows.items() if row[2] and row[2] > 2} for rows in past.rows])
    assert project.lake_rows("mart.dear", "id", "price", "valid_from", "valid_to", "is_current") == dear.intervals()


def test_stream_at_a_moment_has_the_rows_of_then(shop):
    project, past = shop
    moments = [past.moments[0] - datetime.timedelta(microseconds=1), *past.moments]
    found = project.query(
        " UNION ALL ".join(
            f"SELECT {i} AS i, id, shop, price FROM src.sale__at(TIMESTAMPTZ '{moment.isoformat()}')" for i, moment in enumerate(moments)
        )
        + " ORDER BY ALL"
    )
    expected = [
        (i, *row) for i, rows in enumerate([{}, *past.rows]) for row in rows.values()
    ]
    assert sorted(found) == sorted(",".join("" if value is None else str(value) for value in row) for row in expected)


def test_run_without_news_builds_nothing(shop):
    project, _ = shop
    before = project.snapshots()
    data = project.run("--json").expect(0).json()["data"]
    assert data["rows_written"] == 0
    assert project.snapshots() == before
    planned = project.command("plan", "--json").expect(0).json()["data"]
    assert (planned["changes"], planned["warehouse"]) == ([], [])


def test_files_without_a_changed_key_stay(make):
    project = make(TABLE)
    project.model("newest", NEWEST, "kind: incremental\nkey: id")
    for tens in range(3):
        project.execute(f"INSERT INTO sale SELECT i, 'Leeds', 1 FROM generate_series({tens * 10}, {tens * 10 + 9}) i")
        project.run().expect(0)
    with project.lake() as lake:
        before = set(lake.files("mart.newest"))
    assert len(before) == 3
    project.execute("UPDATE sale SET price = 2 WHERE id = 15; INSERT INTO sale VALUES (99, 'York', 3)")
    project.run().expect(0)
    with project.lake() as lake:
        assert len(before & set(lake.files("mart.newest"))) == 2
        # The other one has a successor without the row that changed, so that no reader finds it twice.
        assert sorted(row["price"] for row in lake.rows("mart.newest", "id == 15 or id == 99")) == [2, 3]
    assert project.lake_rows("mart.newest", "id", "shop", "price") == sorted(
        project.source.rows("SELECT id, shop, price FROM sale"), key=repr
    )


def test_failed_check_loses_no_row_of_the_next_build(make):
    project = make(TABLE)
    head = "kind: incremental\nkey: id\nchecks:\n  - range: {price: {max: 100}}"
    project.model("newest", NEWEST, head)
    project.execute("INSERT INTO sale VALUES (1, 'Leeds', 1)")
    project.run().expect(0)
    project.execute("INSERT INTO sale VALUES (2, 'Leeds', 1000), (3, 'York', 3)")
    assert "LEAT0705" in diagnostics(project.run().expect(1))
    assert project.lake_rows("mart.newest", "id") == [(1,)]
    project.execute("UPDATE sale SET price = 2 WHERE id = 2")
    assert outcome(project.run().expect(0), "mart.newest") == "table_done"
    assert project.lake_rows("mart.newest", "id") == [(1,), (2,), (3,)]


def test_model_may_read_streams_as_of_a_moment(make):
    project = make(TABLE)
    project.execute("INSERT INTO sale VALUES (1, 'Leeds', 1), (2, 'York', 2)")
    project.run().expect(0)
    first = read_moment(project)
    project.model("then", f"SELECT id, price FROM src.sale__at(TIMESTAMPTZ '{first.isoformat()}')", "key: id")
    project.model("now", "SELECT id, price FROM src.sale__at($run_time)", "key: id")
    project.execute("UPDATE sale SET price = 9 WHERE id = 1; DELETE FROM sale WHERE id = 2")
    project.run().expect(0)
    assert [(key, int(price)) for key, price in project.lake_rows("mart.then", "id", "price")] == [(1, 1), (2, 2)]
    assert [(key, int(price)) for key, price in project.lake_rows("mart.now", "id", "price")] == [(1, 9)]
    edges = project.command("lineage", "mart.then", "--json").expect(0).json()["data"]["edges"]
    assert {"src.sale"} <= {edge["from"]["table"] if isinstance(edge["from"], dict) else edge["from"] for edge in edges}
    fault = diagnostics(project.command("query", "SELECT nmae FROM src.sale__at(now())").expect(2))
    assert "does not exist in src.sale__at()" in fault
    assert "LEAT0204" in diagnostics(project.command("query", "FROM src.sail__at(now())").expect(2))


def test_stream_without_a_key_has_no_past(make):
    project = make("CREATE TABLE log (line text); INSERT INTO log VALUES ('a')")
    project.run().expect(0)
    fault = diagnostics(project.command("query", "FROM src.log__at(now())").expect(2))
    assert fault.startswith("error[LEAT0232]: src.log has no key, so src.log__at(t) cannot tell its rows apart")

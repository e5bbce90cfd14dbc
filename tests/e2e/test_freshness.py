"""How old the data of tables is: by the moment of reading, by a column's newest value, and by the oldest input."""

import datetime as dt
import sqlite3

import pytest

from support.project import Project, diagnostics, streams

TABLES = """
    CREATE TABLE payment (id int PRIMARY KEY, at timestamptz); INSERT INTO payment VALUES (1, now() - interval '3 hours');
    CREATE TABLE staff (id int PRIMARY KEY); INSERT INTO staff VALUES (1);
"""

LOADED_AT = """\
sources:
  - name: src
    tables:
      - name: payment
        loaded_at_field: at
        freshness: {warn_after: {count: 1, period: hour}, error_after: {count: 2, period: hour}}
"""


def tables(project: Project) -> dict[str, dict]:
    return {table["table"]: table for table in project.command("status", "--json").json()["data"]["tables"]}


def turn_back(project: Project, hours: int) -> None:
    """As if all that is recorded had happened so much earlier."""
    with sqlite3.connect(project.folder / ".leat" / "state.db") as state:
        state.execute("UPDATE leat_steps SET data_to_us = data_to_us - ?", [hours * 3_600_000_000])


@pytest.fixture
def project(make) -> Project:
    project = make(TABLES)
    project.model("both", "SELECT p.id FROM src.payment p CROSS JOIN src.staff s\n")
    project.model("alone", "SELECT id FROM src.staff\n", "freshness: null")
    project.write("leat.yaml", project.settings() + "freshness: {warn_after: 2h, error_after: 1d}\n")
    return project


def test_age_counts_from_the_moment_of_reading(project):
    project.run().expect(0)
    assert {name: table["state"] for name, table in tables(project).items()} == dict.fromkeys(
        ["src.payment", "src.staff", "mart.both", "mart.alone"], "healthy"
    )
    project.command("check").expect(0)

    turn_back(project, 3)
    states = tables(project)
    assert {name: table["state"] for name, table in states.items()} == {
        "src.payment": "late", "src.staff": "late", "mart.both": "late", "mart.alone": "healthy"
    }
    assert states["mart.both"]["reason"] == "data is 3 h old; expected at most 2 h"
    assert (states["mart.both"]["warn_after_s"], states["mart.both"]["error_after_s"]) == (7200, 86400)
    assert states["mart.alone"]["error_after_s"] is None
    assert project.command("status").code == 0
    assert project.command("status", "--exit-code").code == 1
    checked = project.command("check", "mart.both").expect(0)
    assert diagnostics(checked).startswith("warning[LEAT0710]: mart.both is late: its data is 3 h old; expected at most 2 h")

    turn_back(project, 24)
    failed = project.command("check", "src.staff", "--json").expect(1).json()
    assert [(fault["code"], fault["severity"]) for fault in failed["diagnostics"]] == [("LEAT0710", "error")]
    assert [(check["check"], check["state"]) for check in failed["data"]["checks"]] == [("freshness", "failed")]
    assert project.run().expect(0) and project.command("status", "--exit-code").code == 0


def test_a_quiet_column_makes_a_table_late_and_what_is_made_from_it(project):
    project.write("models/schema.yml", LOADED_AT)
    done = project.run().expect(0)
    assert "warning[LEAT0710]: src.payment is late: its data is 3 h old; expected at most 2 h" in diagnostics(done)
    with project.source.connect() as connection:
        newest = connection.execute("SELECT max(at) FROM payment").fetchone()[0].astimezone(dt.timezone.utc)
    states = tables(project)
    # The reading was just now; the model is as old as the oldest of its inputs.
    for table in ("src.payment", "mart.both"):
        assert dt.datetime.fromisoformat(states[table]["data_to"].replace("Z", "+00:00")) == newest
        assert states[table]["state"] == "late"
    assert states["src.staff"]["state"] == "healthy"
    project.command("check", "src.payment").expect(1)

    project.execute("INSERT INTO payment VALUES (2, now())")
    assert diagnostics(project.run().expect(0)) == ""
    assert tables(project)["mart.both"]["state"] == "healthy"

    project.execute("DELETE FROM payment")
    project.run().expect(0)
    assert tables(project)["src.payment"]["state"] == "unknown"
    assert project.command("status", "--exit-code").code == 1
    assert "LEAT0711" in diagnostics(project.command("check", "src.payment").expect(1))


def test_an_age_that_is_not_known_is_not_known_of_what_is_made_from_it(project):
    """A column in local time lies hours ahead of UTC; nothing that is made from it counts as fresh."""
    project.execute("ALTER TABLE payment ADD local timestamp; UPDATE payment SET local = now() at time zone 'utc' + interval '9 hours'")
    project.write("models/schema.yml", LOADED_AT.replace("loaded_at_field: at", "loaded_at_field: local"))
    done = project.run().expect(0)
    assert "LEAT0711" in diagnostics(done) and "lies in the future: is it local time?" in diagnostics(done)
    states = tables(project)
    assert {name: table["state"] for name, table in states.items()} == {
        "src.payment": "unknown", "src.staff": "healthy", "mart.both": "unknown", "mart.alone": "healthy"
    }
    assert "lies in the future" in states["src.payment"]["reason"] and states["mart.both"]["data_to"] is None
    assert "LEAT0711" in diagnostics(project.command("check", "mart.both").expect(1))


def test_tables_without_streams_keep_no_promise_but_their_own(project):
    project.write("seeds/iso.csv", "code\nEUR\n")
    project.model("codes", "SELECT code FROM seeds.iso\n")
    project.write("models/mart/dates.yaml", "kind: dim_date\nfrom: 2024-01-01\nto: 2024-01-31\n")
    project.model("with_codes", "SELECT s.id, c.code FROM src.staff s, mart.codes c\n")
    project.run().expect(0)
    states = tables(project)
    assert {table["state"] for table in states.values()} == {"healthy"}
    assert (states["mart.codes"]["error_after_s"], states["mart.with_codes"]["error_after_s"]) == (None, 86400)
    assert states["mart.with_codes"]["data_to"] == states["src.staff"]["data_to"]
    project.command("check").expect(0)

    project.model("codes", "SELECT code FROM seeds.iso\n", "freshness: {error_after: 1h}")
    project.run().expect(0)
    assert "mart.codes promises fresh data" in diagnostics(project.command("check").expect(1))


def test_a_column_that_tells_no_moment_leaves_its_stream_failing(project):
    project.write("models/schema.yml", LOADED_AT.replace("loaded_at_field: at", "loaded_at_field: id"))
    assert "LEAT0712" in diagnostics(project.run("+mart.both").expect(1))
    failing = tables(project)["src.payment"]
    assert failing["state"] == "failing" and failing["reason"].startswith("run 1: LEAT0712 loaded_at_field is 'id'")
    assert "LEAT0712" in diagnostics(project.command("retry").expect(1))

    project.write("models/schema.yml", LOADED_AT)
    project.command("retry").expect(0)
    assert tables(project)["src.payment"]["state"] == "late"


def test_what_the_project_leaves_out_keeps_no_failure(project):
    project.run().expect(0)
    project.execute("ALTER TABLE staff RENAME TO crew")
    gone = project.run().expect(1)
    assert "LEAT0412" in diagnostics(gone) and tables(project)["src.staff"]["state"] == "failing"

    streams(project, '"*": {}', "staff: {skip: true}")
    skipped = tables(project)["src.staff"]
    assert (skipped["state"], skipped["reason"], skipped["error_after_s"]) == (
        "healthy", "read no more; these are its last rows", None
    )
    project.run().expect(0)
    assert project.command("status", "--exit-code").code == 0


def test_a_table_that_the_project_names_no_more_is_not_gone(project):
    project.execute('CREATE TABLE "Crew" (id int PRIMARY KEY)')
    project.run().expect(0)
    streams(project, "payment: {}")
    assert diagnostics(project.run().expect(0)) == ""
    # Under another name it is another stream, and the old one is not gone from the database.
    streams(project, '"*": {}', before='rename: {staff: people, "Crew": team}\n')
    assert diagnostics(project.run().expect(0)) == ""
    assert tables(project)["src.team"]["state"] == "healthy"
    assert project.command("status", "--exit-code").code == 0


def test_what_was_never_read_is_shown_too(project):
    streams(project, '"*": {}', "staff: {freshness: {error_after: 15m}}")
    shown = project.command("status", "--json").expect(0).json()["data"]["tables"]
    assert {table["table"]: table["state"] for table in shown} == {
        "mart.alone": "never loaded", "mart.both": "never loaded", "src.staff": "never loaded"
    }
    project.write("sources/off.yaml", "type: postgres\nconnection: off\n")
    off = "connections:\n  off: {type: postgres, host: 127.0.0.1, port: 1, user: a, password: '${NOPE}'}"
    project.write("leat.yaml", project.settings().replace("connections:", off))
    project.run().expect(1)
    assert tables(project)["off"]["state"] == "failing"


def test_deletes_lag_where_they_are_looked_for_now_and_then(project):
    streams(project, '"*": {deletes: never}')
    project.run().expect(0)
    project.execute("INSERT INTO staff VALUES (2)")
    project.run().expect(0)
    staff = tables(project)["src.staff"]
    assert staff["deletes_to"] < staff["data_to"]
    assert "deletes as of " + staff["deletes_to"][:16] in project.command("status", "--all").stdout


def test_a_state_that_cannot_be_read_leaves_tables_unknown(project):
    project.run().expect(0)
    state = project.folder / ".leat" / "state.db"
    for name in ("state.db-wal", "state.db-shm"):
        (state.parent / name).unlink(missing_ok=True)
    state.write_bytes(b"no database at all" * 300)
    shown = project.command("status", "--json").expect(1).json()
    assert {table["state"] for table in shown["data"]["tables"]} == {"unknown"}
    assert [fault["code"] for fault in shown["diagnostics"]] == ["LEAT0514"]

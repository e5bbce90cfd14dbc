"""Targets: named sets of values laid over leat.yaml. Each has its own lake, state and databases, or shares them all."""

import json
import re
import sqlite3
import textwrap

import pytest

from support.project import Project, diagnostics
from support.totesys import READER

TABLES = "CREATE TABLE staff (id int PRIMARY KEY, name text); INSERT INTO staff VALUES (1, 'ann');"


def lines(text: str) -> str:
    return textwrap.dedent(text).strip()


@pytest.fixture
def project(pg, tmp_path):
    """mart.dim_staff in schema public of the warehouse; target prod reads another database and loads into schema prod."""
    made = Project(pg, tmp_path, TABLES)
    other = pg.create_database()
    with other.connect() as connection:
        connection.execute(TABLES + f"UPDATE staff SET name = 'of prod'; GRANT SELECT ON staff TO {READER}")
    made.write("leat.yaml", made.settings() + targets(made, other.name))
    made.model("dim_staff", "SELECT id, name FROM src.staff\n", "key: id")
    yield made
    made.drop()
    pg.drop_database(other.name)


def targets(project: Project, database: str) -> str:
    return (
        "targets:\n"
        "  prod:\n"
        f"    lake: {project.folder.parent}/prod/lake\n"
        f"    state: {project.folder.parent}/prod/state/state.db\n"
        f"    connections: {{source: {{database: {database}}}}}\n"
        "    warehouse: {schema: prod}\n"
        "  thrifty: {limits: {threads: 1}}\n"
    )


def loaded(project: Project, schema: str) -> list[tuple]:
    return project.warehouse.rows(f"SELECT id, name FROM {schema}.dim_staff")


def runs(state) -> int:
    with sqlite3.connect(f"file:{state}?mode=ro", uri=True) as connection:
        return connection.execute("SELECT count(*) FROM leat_runs").fetchone()[0]


def test_targets_are_apart(project):
    project.run("--target", "prod").expect(0)
    assert not (project.folder / "lake").exists()
    assert not (project.folder / ".leat").exists()
    assert loaded(project, "prod") == [(1, "of prod")]
    project.run().expect(0)
    assert loaded(project, "public") == [(1, "ann")]
    assert loaded(project, "prod") == [(1, "of prod")]
    assert runs(project.folder / ".leat/state.db") == 1
    assert runs(project.folder.parent / "prod/state/state.db") == 1


def test_targets_that_differ_in_other_things_share_one_history(project):
    project.run().expect(0)
    done = project.run("--json", env={"LEAT_TARGET": "thrifty"}).expect(0)
    assert "threads=1 target=thrifty" in done.stderr
    assert done.json()["data"]["target"] == "thrifty"
    assert runs(project.folder / ".leat/state.db") == 2


def test_the_target_is_told(project):
    project.run("-t", "prod").expect(0)
    log = (project.folder.parent / "prod/state/logs/run-1.jsonl").read_text().splitlines()
    assert json.loads(log[0])["target"] == "prod"
    assert project.command("status", "-t", "prod").expect(0).stdout.startswith("small · prod · last run 1 at ")
    assert project.command("status").expect(0).stdout.startswith("small · default · ")
    assert project.command("status", "--json").expect(0).json()["data"]["target"] == "default"
    valid = project.command("validate", env={"LEAT_TARGET": "prod"}).expect(0)
    assert valid.stdout.startswith("✓ small for target prod is valid: 1 source with 1 stream, 1 model, ")
    assert project.command("validate", "--json", "-t", "prod").expect(0).json()["data"]["target"] == "prod"


def test_an_unknown_target_names_the_nearest(project):
    done = project.run("-t", "prdo").expect(2)
    assert diagnostics(done) == lines("""
        error[LEAT0140]: target 'prdo' does not exist; did you mean prod?
          = help: targets of leat.yaml: default, prod, thrifty
          = more: leat explain LEAT0140
    """)
    done = project.run(env={"LEAT_TARGET": "staging"}).expect(2)
    assert diagnostics(done) == lines("""
        error[LEAT0140]: target 'staging' does not exist
          ┌─ LEAT_TARGET
          = help: targets of leat.yaml: default, prod, thrifty
          = more: leat explain LEAT0140
    """)
    project.command("validate", "-t", "default", env={"LEAT_TARGET": "staging"}).expect(0)


def test_a_refused_connection_points_into_the_target(project):
    text = (project.folder / "leat.yaml").read_text()
    project.write("leat.yaml", text + "  broken: {connections: {source: {port: 1}}}\n")
    done = project.command("connections", "test", "source", "-t", "broken").expect(3)
    line = len(text.splitlines()) + 1
    assert re.search(rf"┌─ leat\.yaml:{line}:26\n", done.stderr), done
    assert "cannot reach connection \"source\" at 127.0.0.1:1" in done.stderr


def test_faults_of_targets_that_are_not_chosen_are_found(project):
    text = (project.folder / "leat.yaml").read_text()
    project.write("leat.yaml", text + "  next: {lakes: ./other}\n")
    done = project.command("validate", "--fast").expect(2)
    line = len(text.splitlines()) + 1
    assert f"error[LEAT0102]: unknown key 'lakes'; did you mean lake?\n   ┌─ leat.yaml:{line}:10\n" in done.stderr


def test_a_state_database_belongs_to_one_lake(project):
    text = (project.folder / "leat.yaml").read_text()
    project.write("leat.yaml", text + "  next: {lake: ./other}\n")
    done = project.run().expect(2)
    folder = project.folder
    assert (
        f"error[LEAT0142]: target next has the lake {folder}/other and the state database {folder}/.leat/state.db, which "
        f"belongs to the lake {folder}/lake of target default; expected a state database for each lake\n"
    ) in done.stderr
    assert not (folder / ".leat").exists()


def test_help_names_the_flag(project):
    assert re.search(r"^ +-t, --target TARGET +\S", project.command("--help").expect(0).stdout, re.MULTILINE)

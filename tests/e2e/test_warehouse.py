"""What the warehouse holds when the project's rules change, when somebody works on it by hand, and when it refuses."""

import pytest

from support.project import Project, diagnostics
from support.shop import WRITER

TABLES = """
    CREATE TABLE staff (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO staff VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE sale (id int PRIMARY KEY, staff_id int, units int);
    INSERT INTO sale VALUES (10, 1, 5), (11, 2, 6);
"""
REFERENCES = "key: id\nchecks:\n  - references: {staff_id: mart.dim_staff}"
SALE = "SELECT id, staff_id, units FROM src.sale\n"


@pytest.fixture
def project(pg, tmp_path):
    made = Project(pg, tmp_path, TABLES)
    made.model("dim_staff", "SELECT id, name FROM src.staff\n", "key: id")
    made.model("fact_sale", SALE, REFERENCES)
    made.run().expect(0)
    yield made
    made.drop()


def foreign_keys(project: Project) -> list[tuple]:
    """(table, referenced table, validated), sorted."""
    return project.warehouse.rows(
        """SELECT conrelid::regclass::text, confrelid::regclass::text, convalidated FROM pg_constraint
           WHERE contype = 'f' ORDER BY 1, 2"""
    )


FACT_TO_STAFF = ("fact_sale", "dim_staff", True)


# --- foreign keys ---


@pytest.mark.parametrize(
    "head", ["key: id", "key: id\nchecks:\n  - references: {staff_id: mart.dim_staff}\n    severity: warn"], ids=["removed", "warn"]
)
def test_reference_that_the_model_lost_is_dropped(project, head):
    assert foreign_keys(project) == [FACT_TO_STAFF]
    project.model("fact_sale", SALE, head)
    project.execute("INSERT INTO sale VALUES (12, 99, 1); DELETE FROM staff WHERE id = 1")
    project.run().expect(0)
    assert foreign_keys(project) == []
    assert project.loaded("fact_sale") == [(10, 1, 5), (11, 2, 6), (12, 99, 1)]
    assert project.loaded("dim_staff") == [(2, "bob")]


def test_reference_that_somebody_else_made_stays(project):
    project.warehouse.execute("ALTER TABLE fact_sale ADD CONSTRAINT theirs FOREIGN KEY (staff_id) REFERENCES dim_staff (id)")
    project.model("fact_sale", SALE, "key: id")
    project.run().expect(0)
    assert project.warehouse.rows("SELECT conname::text FROM pg_constraint WHERE contype = 'f'") == [("theirs",)]


def test_rows_and_references_change_while_the_loaded_snapshot_is_void(project):
    """A new column has all tables compared with the warehouse, by connections that must not meet our own locks."""
    project.model("dim_staff", "SELECT id, name, id * 2 AS twice FROM src.staff\n", "key: id")
    project.model("fact_sale", SALE, "key: id")
    project.execute("UPDATE staff SET name = 'eve' WHERE id = 2")
    project.run().expect(0)
    assert foreign_keys(project) == []
    assert project.loaded("dim_staff") == [(1, "ann", 2), (2, "eve", 4)]


def test_table_without_a_key_takes_the_references_to_it_along(project):
    project.model("dim_staff", "SELECT id, name FROM src.staff\n")
    project.model("fact_sale", SALE, "key: id")
    project.execute("UPDATE staff SET name = 'eve' WHERE id = 2")
    project.run().expect(0)
    assert foreign_keys(project) == []
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "eve")]


def test_history_that_is_numbered_anew_is_replaced_below_a_reference_of_ours(project):
    price = "key: id\nkind: history\nrecord_id: record_id"
    project.execute("CREATE TABLE price (id int PRIMARY KEY, v int); INSERT INTO price VALUES (1, 5), (2, 6)")
    project.model("dim_price", "SELECT id, v FROM src.price__history\n", price)
    # A number that both numberings have: what it means changes, that it is there does not.
    project.model("offer", "SELECT 1 AS id, 1 AS price_record\n", "key: id")
    project.run().expect(0)
    project.model("offer", "SELECT 1 AS id, 1 AS price_record\n", "key: id\nwarehouse: false")
    project.warehouse.execute(
        "ALTER TABLE offer ADD CONSTRAINT leat_fkey_1 FOREIGN KEY (price_record) REFERENCES dim_price ON DELETE RESTRICT"
    )
    made = project.warehouse.value("SELECT oid FROM pg_constraint WHERE conname = 'leat_fkey_1'")
    assert len(project.loaded("dim_price")) == 2

    project.model("dim_price", "SELECT id, v, v * 2 AS twice FROM src.price__history WHERE v <> 5\n", price)
    project.run().expect(0)
    assert project.warehouse.rows("SELECT record_id, id, v, twice FROM dim_price") == [(1, 2, 6, 12)]
    ((again, kind, validated),) = project.warehouse.rows(
        "SELECT oid, confdeltype::text, convalidated FROM pg_constraint WHERE conname = 'leat_fkey_1'"
    )
    assert again != made and (kind, validated) == ("r", True)

    # What others made is theirs to lift.
    project.warehouse.execute("ALTER TABLE offer RENAME CONSTRAINT leat_fkey_1 TO theirs")
    project.model("dim_price", "SELECT id, v, v * 3 AS thrice FROM src.price__history\n", price)
    done = project.run().expect(1)
    assert "error[LEAT0605]: warehouse table public.dim_price refused its rows" in diagnostics(done)
    assert project.warehouse.rows("SELECT record_id, id, v, twice FROM dim_price") == [(1, 2, 6, 12)]


# --- a warehouse that somebody worked on ---


@pytest.mark.parametrize("arguments", [(), ("--full-refresh",)], ids=["run", "full_refresh"])
def test_table_that_was_dropped_is_made_anew(project, arguments):
    project.warehouse.execute("DROP TABLE fact_sale")
    project.run(*arguments).expect(0)
    assert project.loaded("fact_sale") == [(10, 1, 5), (11, 2, 6)]
    assert foreign_keys(project) == [FACT_TO_STAFF]


def test_dimension_that_was_dropped_gets_its_references_back(project):
    project.warehouse.execute("DROP TABLE dim_staff CASCADE")
    project.run().expect(0)
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]
    assert project.loaded("fact_sale") == [(10, 1, 5), (11, 2, 6)]
    assert foreign_keys(project) == [FACT_TO_STAFF]
    loads = project.warehouse.value("SELECT count(*) FROM _leat_loads")
    project.run().expect(0)
    assert project.warehouse.value("SELECT count(*) FROM _leat_loads") == loads


def test_ledger_tells_when_each_table_was_loaded(project):
    """Not when its transaction began, by which two loads of one commit could change places."""
    assert project.warehouse.value("SELECT count(DISTINCT loaded_at) FROM _leat_loads") == 2


# --- a warehouse that refuses ---


def test_read_only_warehouse_is_told_when_there_is_something_to_load(project):
    project.warehouse.execute(f"ALTER ROLE {WRITER} IN DATABASE {project.warehouse.name} SET default_transaction_read_only = on")
    project.run().expect(0)
    project.execute("UPDATE staff SET name = 'eve' WHERE id = 2")
    done = project.run().expect(1)
    assert 'error[LEAT0610]: connection "warehouse" is read-only; a warehouse is written to' in diagnostics(done)
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]


def test_right_to_make_temporary_tables_is_asked_for(project):
    name = project.warehouse.name
    project.warehouse.execute(f"ALTER DATABASE {name} OWNER TO postgres; REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    project.execute("UPDATE staff SET name = 'eve' WHERE id = 2")
    done = project.run().expect(1)
    assert "error[LEAT0603]: role leat_writer may not make temporary tables in the warehouse" in diagnostics(done)
    project.warehouse.execute(f"GRANT TEMPORARY ON DATABASE {name} TO {WRITER}")
    project.run().expect(0)
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "eve")]


def test_column_that_a_model_lost_is_told_and_stays(project):
    project.model("fact_sale", "SELECT id, staff_id FROM src.sale\n", REFERENCES)
    result = project.run().expect(0)
    assert "warning[LEAT0622]: mart.fact_sale has no column units any more; the warehouse keeps it with old values\n" in result.stderr
    assert '= help: take it away there too:  ALTER TABLE "public"."fact_sale" DROP COLUMN "units";\n' in result.stderr
    assert project.loaded("fact_sale") == [(10, 1, 5), (11, 2, 6)]
    assert "LEAT0622" not in project.run().expect(0).stderr

"""The main job on the real dump: PostgreSQL, lake, star schemas, warehouse.

What the warehouse must hold is computed here from the source, with psycopg and plain Python; the lake is read with PyIceberg.
"""

import datetime
import re
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from support import star, totesys
from support.shop import Shop
from support.star import DIMENSIONS, FACTS, SHAPES

SOURCE_ROWS = 22372
# What the template does not read: nobody's account number is needed downstream.
UNREAD = {"payment": {"company_ac_number", "counterparty_ac_number"}}


@pytest.fixture(scope="module")
def loaded(pg, totesys_template, tmp_path_factory):
    """Loaded once; for tests that only look."""
    shop = Shop(pg, totesys_template, tmp_path_factory.mktemp("loaded"))
    shop.init().expect(0)
    shop.first_run = shop.run().expect(0)
    yield shop
    shop.drop()


@pytest.fixture
def shop(pg, totesys_template, tmp_path):
    """Loaded for this test alone, which may change source and project."""
    shop = Shop(pg, totesys_template, tmp_path)
    shop.init().expect(0)
    shop.run().expect(0)
    yield shop
    shop.drop()


def without_id(rows) -> list[tuple]:
    return [row[1:] for row in rows]


def untouched(before: dict, after: dict) -> bool:
    """Every row that was there still is, in its place, written by the same transaction."""
    return all(after[table].items() >= rows.items() for table, rows in before.items())


# One process loads the shop that these tests look at.
class TestFirstLoad:
    def test_summary_accounts_for_every_row(self, loaded):
        assert f"read {SOURCE_ROWS} = written {SOURCE_ROWS}" in loaded.first_run.stdout

    def test_output_off_a_terminal_has_no_escapes(self, loaded):
        printed = loaded.first_run.stdout + loaded.first_run.stderr
        assert "\x1b" not in printed and "\r" not in printed

    def test_warehouse_holds_eleven_tables_and_the_ledger(self, loaded):
        assert loaded.tables() == {*SHAPES, "_leat_loads"}
        assert len(SHAPES) == 11
        per_table = loaded.warehouse.rows("SELECT table_name, count(*), sum(rows) FROM _leat_loads GROUP BY 1")
        # The name may carry its schema or namespace.
        assert {name.split(".")[-1]: (loads, rows) for name, loads, rows in per_table} == {
            table: (1, len(loaded.rows(table))) for table in SHAPES
        }

    @pytest.mark.parametrize("table", SHAPES)
    def test_columns_have_name_order_type_and_not_null(self, loaded, table):
        assert loaded.columns(table) == list(SHAPES[table].columns)

    @pytest.mark.parametrize("table", SHAPES)
    def test_keys_and_foreign_keys(self, loaded, table):
        assert loaded.primary_key(table) == [SHAPES[table].key]
        assert Counter(loaded.foreign_keys(table)) == Counter(SHAPES[table].references)

    @pytest.mark.parametrize("table", DIMENSIONS)
    def test_dimension_equals_the_source(self, loaded, table):
        rows = loaded.rows(table)
        assert len(rows) == len(set(rows))
        assert set(rows) == star.expected(loaded.source)[table]

    @pytest.mark.parametrize(("table", "stream"), FACTS.items())
    def test_fact_equals_the_source(self, loaded, table, stream):
        orders = totesys.rows(loaded.source, stream)
        # Versions seen in one commit are numbered by key, from 1, without gaps.
        assert loaded.rows(table) == [
            (number, *star.fact_row(table, orders[key])) for number, key in enumerate(sorted(orders), start=1)
        ]

    def test_row_counts(self, loaded):
        assert {table: len(loaded.rows(table)) for table in SHAPES} == {
            "dim_counterparty": 20,
            "dim_currency": 3,
            "dim_date": 375,
            "dim_design": 249,
            "dim_location": 30,
            "dim_payment_type": 4,
            "dim_staff": 20,
            "dim_transaction": 7346,
            "fact_sales_order": 5099,
            "fact_purchase_orders": 2247,
            "fact_payment": 7346,
        }

    def test_sales_and_purchases_by_currency(self, loaded):
        by_currency = """SELECT currency_code, count(*), sum({}) FROM {} JOIN dim_currency USING (currency_id) GROUP BY 1"""
        assert set(loaded.warehouse.rows(by_currency.format("units_sold * unit_price", "fact_sales_order"))) == {
            ("GBP", 1604, Decimal("243384684.18")),
            ("USD", 1756, Decimal("267796653.77")),
            ("EUR", 1739, Decimal("259195586.16")),
        }
        assert set(loaded.warehouse.rows(by_currency.format("item_quantity * item_unit_price", "fact_purchase_orders"))) == {
            ("GBP", 677, Decimal("166673571.61")),
            ("USD", 775, Decimal("204267565.97")),
            ("EUR", 795, Decimal("197836787.83")),
        }

    def test_payments_paid_and_unpaid(self, loaded):
        paid = "SELECT paid, count(*), sum(payment_amount) FROM fact_payment GROUP BY 1"
        assert set(loaded.warehouse.rows(paid)) == {
            (True, 4435, Decimal("808705932.53")),
            (False, 2911, Decimal("530448916.99")),
        }

    def test_dates(self, loaded):
        used = """
            SELECT count(*), min(day), max(day) FROM (
              SELECT unnest(ARRAY[created_date, last_updated_date, agreed_payment_date, agreed_delivery_date]) AS day
              FROM fact_sales_order UNION
              SELECT unnest(ARRAY[created_date, last_updated_date, agreed_payment_date, agreed_delivery_date])
              FROM fact_purchase_orders UNION
              SELECT unnest(ARRAY[created_date, last_updated_date, payment_date]) FROM fact_payment) AS days"""
        span = (375, datetime.date(2022, 11, 3), datetime.date(2023, 11, 12))
        assert loaded.warehouse.rows(used) == [span]
        assert loaded.warehouse.rows("SELECT count(*), min(date_id), max(date_id) FROM dim_date") == [span]

    def test_newest_change_keeps_its_milliseconds(self, loaded):
        newest = max(
            loaded.warehouse.value(f"SELECT max(last_updated_date + last_updated_time) FROM {table}") for table in FACTS
        )
        assert newest == datetime.datetime(2023, 11, 6, 13, 49, 10, 92000)

    def test_best_sold_designs(self, loaded):
        best = """SELECT design_name, sum(units_sold) FROM fact_sales_order JOIN dim_design USING (design_id)
                  GROUP BY 1 ORDER BY 2 DESC LIMIT 3"""
        assert loaded.warehouse.rows(best) == [("Bronze", 33374777), ("Granite", 32861274), ("Soft", 25072694)]

    def test_country_with_most_sales_orders(self, loaded):
        most = """SELECT country, count(*), count(DISTINCT location_id) FROM fact_sales_order
                  JOIN dim_location ON location_id = agreed_delivery_location_id GROUP BY 1 ORDER BY 2 DESC LIMIT 1"""
        assert loaded.warehouse.rows(most) == [("Republic of Korea", 313, 2)]

    def test_migrations_are_left_out(self, loaded, open_lake):
        assert loaded.source.value("SELECT count(*) FROM _prisma_migrations") == 2
        assert not [name for name in loaded.tables() | open_lake(loaded.project).names() if "prisma" in name]

    def test_passwords_are_nowhere_in_the_project(self, loaded):
        secrets = [line.rsplit(":", 1)[1].encode() for line in loaded.pg.pgpass().splitlines()]
        files = [path for path in loaded.project.rglob("*") if path.is_file()]
        assert files and not [path for path in files if any(secret in path.read_bytes() for secret in secrets)]


class TestLakeThroughPyIceberg:
    def test_lists_every_stream_and_model(self, loaded, open_lake):
        wanted = {f"totesys.{table}__history" for table in totesys.TABLES} | {f"mart.{table}" for table in SHAPES}
        names = open_lake(loaded.project).names()
        assert wanted <= names
        assert {name for name in names if name.startswith("totesys.")} == {n for n in wanted if n.startswith("totesys.")}

    @pytest.mark.parametrize("table", totesys.TABLES)
    def test_stream_equals_the_source(self, loaded, open_lake, table):
        rows = open_lake(loaded.project).rows(f"totesys.{table}__history")
        source = totesys.rows(loaded.source, table)
        columns = [name for name in next(iter(source.values())) if name not in UNREAD.get(table, ())]
        assert [name for name in rows[0] if not name.startswith("_leat_")] == columns
        # Enums are text; everything else has the same value in the same Python type.
        assert len(rows) == len(source)
        assert {row[f"{table}_id"]: {name: row[name] for name in columns} for row in rows} == {
            key: {name: row[name] for name in columns} for key, row in source.items()
        }
        assert {row["_leat_op"] for row in rows} == {"u"}
        # One commit: one number, and it leaves room for the order inside a commit.
        (sequence,) = {row["_leat_seq"] for row in rows}
        assert sequence > 0 and sequence % 2**24 == 0

    @pytest.mark.parametrize("table", SHAPES)
    def test_model_equals_the_warehouse(self, loaded, open_lake, table):
        names = SHAPES[table].names
        rows = [tuple(row[name] for name in names) for row in open_lake(loaded.project).rows(f"mart.{table}")]
        assert sorted(rows) == loaded.rows(table)

    def test_data_files_carry_bounds_and_lengths(self, loaded, open_lake):
        lake = open_lake(loaded.project)
        for name in sorted(lake.names()):
            for task in lake.table(name).scan().plan_files():
                assert task.file.lower_bounds and task.file.upper_bounds, name
                path = task.file.file_path.removeprefix("file://")
                with open(path, "rb") as data:
                    assert data.seek(0, 2) == task.file.file_size_in_bytes, name


class TestSecondRun:
    def test_changes_nothing_and_says_so(self, shop, open_lake):
        marks, loads, snapshots = shop.marks(), shop.loads(), open_lake(shop.project).snapshots()
        again = shop.run().expect(0)
        assert "unchanged" in again.stdout + again.stderr
        # Only what changed is read: nothing, or some rows once more where a transaction was open at the first read.
        assert "written" not in again.stdout, again
        assert shop.marks() == marks
        assert shop.loads() == loads
        assert open_lake(shop.project).snapshots() == snapshots

    def test_update_to_the_same_values_is_no_change(self, shop, open_lake):
        marks, loads, snapshots = shop.marks(), shop.loads(), open_lake(shop.project).snapshots()
        # Every row moves to a new place with a new writing transaction; its content stays.
        for table in totesys.TABLES:
            shop.source.execute(f"UPDATE {table} SET last_updated = last_updated")
        shop.run().expect(0)
        assert shop.marks() == marks
        assert shop.loads() == loads
        assert open_lake(shop.project).snapshots() == snapshots

    def test_full_refresh_keeps_record_ids_and_versions(self, shop):
        shop.source.execute("UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 10")
        shop.run().expect(0)
        before = {table: shop.rows(table) for table in SHAPES}
        assert len(before["fact_sales_order"]) == 5100
        shop.run("--full-refresh").expect(0)
        assert {table: shop.rows(table) for table in SHAPES} == before


class TestChanges:
    def test_changed_orders_get_a_second_version(self, shop):
        marks = shop.marks()
        old = {table: shop.rows(table) for table in FACTS}
        # As the live database does: none but the payment moves its last_updated.
        shop.source.execute("UPDATE sales_order SET design_id = design_id % 249 + 1 WHERE sales_order_id = 5000")
        shop.source.execute("UPDATE purchase_order SET item_code = 'AAAAAAA' WHERE purchase_order_id IN (3, 2000)")
        payment = shop.source.value("SELECT min(payment_id) FROM payment WHERE NOT paid")
        shop.source.execute(
            "UPDATE payment SET paid = true, last_updated = '2023-11-07 07:55:11.123' WHERE payment_id = %s", [payment]
        )
        shop.run().expect(0)

        for table, keys in {"fact_sales_order": [5000], "fact_purchase_orders": [3, 2000], "fact_payment": [payment]}.items():
            source = totesys.rows(shop.source, FACTS[table])
            assert shop.rows(table) == old[table] + [
                (len(old[table]) + number, *star.fact_row(table, source[key])) for number, key in enumerate(keys, start=1)
            ]
        first, second = shop.versions("fact_payment", payment)
        assert (first["paid"], second["paid"]) == (False, True)
        assert second["last_updated_time"] == datetime.time(7, 55, 11, 123000)
        # Only changed rows travelled.
        assert untouched(marks, shop.marks())

    def test_value_that_returns_is_a_third_version(self, shop):
        place = "UPDATE sales_order SET agreed_delivery_location_id = %s WHERE sales_order_id = 77"
        home = shop.source.value("SELECT agreed_delivery_location_id FROM sales_order WHERE sales_order_id = 77")
        away = home % 30 + 1
        for location in (away, home):
            shop.source.execute(place, [location])
            shop.run().expect(0)
        versions = shop.versions("fact_sales_order", 77)
        assert [row["agreed_delivery_location_id"] for row in versions] == [home, away, home]
        assert [row["sales_record_id"] for row in versions] == [77, 5100, 5101]
        shop.run().expect(0)
        assert len(shop.versions("fact_sales_order", 77)) == 3

    def test_dimensions_hold_the_latest_only(self, shop):
        marks = shop.marks()
        shop.source.execute("UPDATE design SET file_location = '/elsewhere' WHERE design_id = 8")
        shop.source.execute("UPDATE department SET department_name = 'People' WHERE department_id = 8")
        shop.source.execute("UPDATE address SET phone = '0000 000000', district = NULL WHERE address_id = 15")
        shop.run().expect(0)
        wanted = star.expected(shop.source)
        for table in DIMENSIONS:
            assert set(shop.rows(table)) == wanted[table], table
        assert shop.row("dim_design", 8)["file_location"] == "/elsewhere"
        assert shop.row("dim_location", 15)["phone"] == "0000 000000"
        assert shop.row("dim_counterparty", 1)["counterparty_legal_phone_number"] == "0000 000000"
        # What joins nothing that changed stayed as it was written.
        after = shop.marks()
        assert {t for t in SHAPES if after[t] != marks[t]} == {"dim_design", "dim_staff", "dim_location", "dim_counterparty"}
        assert sum(after["dim_design"][key] != mark for key, mark in marks["dim_design"].items()) == 1

    def test_new_order_extends_the_dates(self, shop):
        shop.source.execute(
            """INSERT INTO sales_order (created_at, last_updated, design_id, staff_id, counterparty_id, units_sold, unit_price,
                                        currency_id, agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id)
               VALUES ('2023-11-07 09:00:10', '2023-11-07 09:00:10', 1, 1, 1, 2000, 3.50, 1, '2025-07-10', '2023-11-09', 1)"""
        )
        shop.run().expect(0)
        assert set(without_id(shop.rows("fact_sales_order"))) == star.expected(shop.source)["fact_sales_order"]
        assert set(shop.rows("dim_date")) == star.expected(shop.source)["dim_date"]
        assert shop.rows("dim_date")[-1] == (datetime.date(2025, 7, 10), 2025, 7, 10, 4, "Thursday", "July", 3)

    def test_deletes_stay_in_the_warehouse_and_leave_the_stream(self, shop, open_lake):
        marks = shop.marks()
        transaction, payment = shop.source.rows(
            "SELECT transaction_id, payment_id FROM transaction JOIN payment USING (transaction_id) WHERE sales_order_id = 42"
        )[0]
        shop.source.execute("DELETE FROM payment WHERE payment_id = %s", [payment])
        shop.source.execute("DELETE FROM transaction WHERE transaction_id = %s", [transaction])
        shop.source.execute("DELETE FROM sales_order WHERE sales_order_id = 42")
        shop.run().expect(0)

        # Facts are history, and a dimension keeps what facts still name.
        assert shop.marks() == marks
        # The lake knows: the stream has lost the row, its history says when.
        assert shop.query("SELECT count(*) AS n FROM totesys.sales_order") == ["5098"]
        assert shop.query("SELECT count(*) AS n FROM totesys.transaction WHERE transaction_id = " + str(transaction)) == ["0"]
        lake = open_lake(shop.project)
        versions = sorted(
            (row["_leat_seq"], row["_leat_op"])
            for row in lake.rows("totesys.sales_order__history", "sales_order_id == 42")
        )
        assert [operation for _, operation in versions] == ["u", "d"]
        assert versions[0][0] < versions[1][0]
        assert set(lake.current("totesys.sales_order", "sales_order_id")) == set(totesys.rows(shop.source, "sales_order"))

    def test_row_that_comes_back_is_read_again_but_is_no_new_version(self, shop, open_lake):
        row = shop.source.rows("SELECT p::text FROM payment p WHERE payment_id = 100")[0][0]
        shop.source.execute("DELETE FROM payment WHERE payment_id = 100")
        shop.run().expect(0)
        shop.source.execute("INSERT INTO payment SELECT (%s::payment).*", [row])
        shop.run().expect(0)
        history = open_lake(shop.project).rows("totesys.payment__history", "payment_id == 100")
        assert [r["_leat_op"] for r in sorted(history, key=lambda r: r["_leat_seq"])] == ["u", "d", "u"]
        assert len(shop.versions("fact_payment", 100)) == 1

    def test_unknown_currency_keeps_its_code_as_name_and_warns(self, shop):
        shop.source.execute("INSERT INTO currency (currency_code, last_updated) VALUES ('ZZZ', now())")
        done = shop.run().expect(0)
        assert shop.row("dim_currency", 4) == {"currency_id": 4, "currency_code": "ZZZ", "currency_name": "ZZZ"}
        assert "warning" in (done.stdout + done.stderr).lower()

    def test_department_without_location_loads_as_unknown_and_warns(self, shop):
        shop.source.execute("UPDATE department SET location = NULL WHERE department_id = 2")
        done = shop.run().expect(0)
        assert shop.row("dim_staff", 1)["location"] == "Unknown"
        assert "warning" in (done.stdout + done.stderr).lower()

    def test_order_with_an_impossible_date_goes_to_the_rejects(self, shop):
        shop.source.execute("UPDATE sales_order SET agreed_delivery_date = '2023-02-30' WHERE sales_order_id = 9")
        shop.source.execute("UPDATE sales_order SET units_sold = 1234 WHERE sales_order_id = 10")
        done = shop.run().expect(0)
        assert "rejected 1" in done.stdout
        assert len(shop.versions("fact_sales_order", 9)) == 1
        assert [row["units_sold"] for row in shop.versions("fact_sales_order", 10)][1:] == [1234]
        assert shop.query("SELECT sales_order_id FROM mart.fact_sales_order__rejects") == ["9"]


class TestPruning:
    def test_filter_opens_only_files_whose_bounds_match(self, shop, open_lake):
        shop.source.execute(
            """INSERT INTO sales_order (created_at, last_updated, design_id, staff_id, counterparty_id, units_sold, unit_price,
                                        currency_id, agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id)
               SELECT created_at, last_updated, design_id, staff_id, counterparty_id, units_sold, unit_price,
                      currency_id, agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id
               FROM sales_order WHERE sales_order_id <= 20"""
        )
        shop.run().expect(0)
        lake = open_lake(shop.project)
        for name, key in (("totesys.sales_order__history", "sales_order_id"), ("mart.fact_sales_order", "sales_record_id")):
            everything, new, old = (set(lake.files(name, f"{key} > {n}")) for n in (0, 5099, 5119))
            assert len(everything) >= 2, name
            assert 1 <= len(new) < len(everything), name
            assert old == set(), name
            assert {row[key] for row in lake.rows(name, f"{key} > 5099")} == set(range(5100, 5120))

    def test_history_agrees_with_the_source_after_many_changes(self, shop, open_lake):
        wanted = defaultdict(int)
        for turn in range(3):
            for table in ("sales_order", "purchase_order", "payment", "design"):
                column = {"design": "file_location", "payment": "payment_date"}.get(table, "agreed_delivery_date")
                changed = shop.source.rows(
                    f"""UPDATE {table} SET {column} = to_char(date '2023-11-20' + %s, 'YYYY-MM-DD')
                        WHERE {table}_id %% 50 = %s RETURNING {table}_id""",
                    [turn, turn],
                )
                wanted[table] += len(changed)
            shop.run().expect(0)
        lake = open_lake(shop.project)
        for table, changes in wanted.items():
            source = totesys.rows(shop.source, table)
            names = [name for name in next(iter(source.values())) if name not in UNREAD.get(table, ())]
            current = lake.current(f"totesys.{table}", f"{table}_id")
            assert {key: [row[name] for name in names] for key, row in current.items()} == {
                key: [row[name] for name in names] for key, row in source.items()
            }
            assert len(lake.rows(f"totesys.{table}__history")) == len(source) + changes
            assert shop.query(f"SELECT count(*) AS n FROM totesys.{table}") == [str(len(source))]

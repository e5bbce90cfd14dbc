"""The source moves from November 2023 to June 2025 between two runs; `last_updated` of what was there does not."""

import datetime
from collections import Counter
from decimal import Decimal

import pytest

from support import june_2025, star, totesys
from support.shop import Shop
from support.star import DIMENSIONS, SHAPES

ORDERS_2023, ORDERS_2025, CHANGED_ORDERS = 5099, 14581, 107
FACTS_2025 = ORDERS_2025 + CHANGED_ORDERS

# The newest version of every order, by currency.
CURRENT = """
    SELECT currency_code, count(*), sum(units_sold * unit_price)
    FROM (SELECT DISTINCT ON (sales_order_id) * FROM fact_sales_order ORDER BY sales_order_id, sales_record_id DESC) AS current
    JOIN dim_currency USING (currency_id) GROUP BY 1"""
SALES_2025 = {
    ("GBP", 4757, Decimal("720719258.40")),
    ("USD", 4944, Decimal("747545392.55")),
    ("EUR", 4880, Decimal("731961153.45")),
}


@pytest.fixture(scope="module")
def moved(pg, totesys_template, tmp_path_factory):
    """Loaded in 2023, and once more in 2025; for tests that only look."""
    shop = Shop(pg, totesys_template, tmp_path_factory.mktemp("moved"))
    shop.init().expect(0)
    shop.run().expect(0)
    shop.orders_before = totesys.rows(shop.source, "sales_order")
    shop.designs_before = totesys.rows(shop.source, "design")
    june_2025.move(shop.source)
    shop.run().expect(0)
    yield shop
    shop.drop()


@pytest.fixture
def shop(pg, totesys_template, tmp_path):
    """Loaded in 2023, for one test."""
    shop = Shop(pg, totesys_template, tmp_path)
    shop.init().expect(0)
    shop.run().expect(0)
    yield shop
    shop.drop()


def facts(rows: list[dict]) -> list[tuple]:
    """fact_sales_order of these orders without record ids, in the order of their keys."""
    return [star.fact_row("fact_sales_order", row) for row in sorted(rows, key=lambda row: row["sales_order_id"])]


# One process moves the shop that these tests look at.
class TestAfterTheMove:
    def test_the_source_hid_its_updates_from_last_updated(self, moved):
        for table, before, updates in (
            ("sales_order", moved.orders_before, CHANGED_ORDERS),
            ("design", moved.designs_before, 83),
        ):
            now = totesys.rows(moved.source, table)
            changed = [key for key, row in before.items() if now[key] != row]
            assert len(changed) == updates
            assert {now[key]["last_updated"] - before[key]["last_updated"] for key in changed} == {datetime.timedelta(0)}

    def test_facts_hold_old_versions_then_the_changed_and_new_orders(self, moved):
        before = moved.orders_before
        later = [row for row in june_2025.sales_orders() if before.get(row["sales_order_id"]) != row]
        assert len(later) == FACTS_2025 - ORDERS_2023
        wanted = facts(list(before.values())) + facts(later)
        assert moved.rows("fact_sales_order") == [(number, *row) for number, row in enumerate(wanted, start=1)]
        assert len(wanted) == FACTS_2025

    def test_sales_by_currency_are_those_of_june_2025(self, moved):
        assert set(moved.warehouse.rows(CURRENT)) == SALES_2025

    def test_designs_equal_the_file(self, moved):
        wanted = sorted(tuple(row[name] for name in SHAPES["dim_design"].names) for row in june_2025.designs())
        assert len(wanted) == 600
        assert moved.rows("dim_design") == wanted

    @pytest.mark.parametrize("table", DIMENSIONS)
    def test_dimension_equals_the_source(self, moved, table):
        assert set(moved.rows(table)) == star.expected(moved.source)[table]

    def test_lake_holds_each_version_once(self, moved, open_lake):
        lake = open_lake(moved.project)
        versions = Counter(row["sales_order_id"] for row in lake.rows("totesys.sales_order__history"))
        assert Counter(versions.values()) == {1: ORDERS_2025 - CHANGED_ORDERS, 2: CHANGED_ORDERS}
        for stream, key in (("sales_order", "sales_order_id"), ("design", "design_id")):
            source = totesys.rows(moved.source, stream)
            current = lake.current(f"totesys.{stream}", key)
            assert {k: {name: row[name] for name in source[k]} for k, row in current.items()} == source

    def test_full_refresh_keeps_rows_and_record_ids(self, moved, open_lake):
        before = {table: moved.rows(table) for table in SHAPES}
        versions = len(open_lake(moved.project).rows("totesys.sales_order__history"))
        moved.run("--full-refresh").expect(0)
        assert {table: moved.rows(table) for table in SHAPES} == before
        assert set(moved.warehouse.rows(CURRENT)) == SALES_2025
        assert len(open_lake(moved.project).rows("totesys.sales_order__history")) == versions


class TestOtherSideOfAJoin:
    """A dimension follows each table that it is made of."""

    @pytest.mark.parametrize(
        ("statement", "changed"),
        [
            ("UPDATE department SET location = 'York' WHERE department_id = 2", {"dim_staff"}),
            ("UPDATE address SET city = 'Elsewhere' WHERE address_id = 15", {"dim_location", "dim_counterparty"}),
            ("UPDATE design SET file_location = '/moved' WHERE design_id = 8", {"dim_design"}),
            ("UPDATE department SET manager = 'Nobody' WHERE department_id = 2", set()),
        ],
        ids=["department", "address", "design", "column that no model reads"],
    )
    def test_update_of_one_row_reaches_what_joins_it(self, shop, statement, changed):
        before = star.expected(shop.source)
        shop.source.execute(statement)
        after = star.expected(shop.source)
        assert {table for table in SHAPES if after[table] != before[table]} == changed
        marks = shop.marks()
        shop.run().expect(0)
        assert {table: set(shop.rows(table)) for table in DIMENSIONS} == {table: after[table] for table in DIMENSIONS}
        assert {table for table, found in shop.marks().items() if found != marks[table]} == changed

"""What the other tests lean on holds: the server asks for passwords, the source is the dump, copies are separate."""

import psycopg
import pytest

from support import star, totesys as totesys_source


def test_server_wants_the_right_password(pg):
    with pg.connect("postgres", user="leat_reader") as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("leat_reader",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        pg.connect("postgres", user="leat_reader", password="wrong")


def test_source_holds_the_dump(totesys):
    counts = {table: len(totesys_source.rows(totesys, table)) for table in totesys_source.TABLES}
    assert counts == {
        "address": 30,
        "counterparty": 20,
        "currency": 3,
        "department": 8,
        "design": 249,
        "payment": 7346,
        "payment_type": 4,
        "purchase_order": 2247,
        "sales_order": 5099,
        "staff": 20,
        "transaction": 7346,
    }
    assert totesys.value("SELECT count(*) FROM _prisma_migrations") == 2
    # The next order gets the next number, as on the live server.
    assert totesys.value("SELECT nextval('sales_order_sales_order_id_seq')") == 5100


def test_reader_may_read_and_nothing_else(totesys):
    with totesys.connect(user="leat_reader") as connection:
        assert connection.execute("SELECT count(*) FROM design").fetchone() == (249,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM payment")


def test_copies_of_the_source_are_separate(pg, totesys_template, totesys):
    totesys.execute("DELETE FROM payment")
    other = pg.create_database(template=totesys_template)
    assert other.value("SELECT count(*) FROM payment") == 7346
    pg.drop_database(other.name)


def test_expected_star_has_the_published_numbers(totesys):
    rows = star.expected(totesys)
    assert {table: len(found) for table, found in rows.items()} == {
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
    assert len(star.used_dates(rows)) == 375

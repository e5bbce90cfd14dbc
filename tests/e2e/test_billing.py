"""The billing template against a computation of its tables in plain Python, over 24 generated months."""

import datetime
import fractions
import random
from decimal import Decimal

import duckdb
import pytest
from support.billing import CHECKOUT, BillingApi, Clock, Project, generate
from support.billing_oracle import Oracle, moment, run_times
from support.leat import Leat

MONTHS = 24
KEYS = {"BILLING_EU_KEY": "eu_key", "BILLING_US_KEY": "us_key"}
LATEST = (
    "subscriptions subscription_lines customers invoices invoice_lines credit_notes transactions plans addons items "
    "item_prices coupons"
).split()
MONTHLY = "subscriptions subscription_lines invoices change".split()
_KEY_OF = {
    "subscription_lines": ("site", "subscriptions_id", "line"),
    "invoice_lines": ("site", "invoices_id", "position"),
}


class Billing:
    """A world, its API, a project made by `leat init`, and the oracle that reads as often as the project."""

    def __init__(self, folder, customers: int, months: int = MONTHS, zone: str = "UTC") -> None:
        self.world = generate(customers=customers, months=months)
        self.oracle = Oracle(self.world, zone)
        self.clock = Clock(folder)
        self.api = BillingApi(self.world).__enter__()
        leat = Leat(folder / "home", folder)
        leat.run("init", "billing", "--template", "billing", "--source", self.api.url).expect(0)
        self.project = Project(leat, folder / "billing", KEYS)
        self.project.edit("sources/billing.yaml", "requests: 150, per: 1m", "requests: 1000, per: 1s")
        # All in one commit; that a long span is read in several is shown elsewhere, and by the demo.
        self.project.edit("sources/billing.yaml", "start: 2015-01-01}", "start: 2023-11-01, window: 1000d}")
        if zone != "UTC":
            self.project.edit("leat.yaml", "timezone: UTC", f"timezone: {zone}")
            self.project.edit("macros/time.sql", "timezone('UTC', t)", f"timezone('{zone}', t)")

    def close(self) -> None:
        self.api.__exit__()

    def run(self, now: int):
        """One run at this moment, and everything compared that it left."""
        self.api.fixed_now = now
        result = self.project.run(clock=self.clock.at(now)).expect(0)
        self.oracle.read(now)
        return result

    def compare(self, now: int, months: int) -> int:
        """Every table with the oracle's, after `months` months are over; how many rows that was."""
        count = 0
        with self.project.lake() as lake:
            for table in LATEST:
                wanted = self.oracle.latest(table, now)
                count += _same(f"latest.{table}", lake, wanted, _KEY_OF.get(table, ("site", "id")))
            for table in MONTHLY:
                wanted = {}
                for month in range(months):
                    wanted |= self.oracle.monthly(table, month)
                count += _same(f"monthly.{table}", lake, wanted, ("month", *_KEY_OF.get(table, ("site", "id"))))
        return count


def _same(table: str, lake, wanted: dict[tuple, dict], key: tuple[str, ...]) -> int:
    rows = lake.rows(table) if table in lake.names() else []
    found = {tuple(row[name] for name in key): row for row in rows}
    assert len(found) == len(rows), f"{table}: a key stands twice"
    assert found.keys() == wanted.keys(), f"{table}: {sorted(found.keys() ^ wanted.keys())[:3]} in one of the two only"
    for name, row in wanted.items():
        assert {column: found[name][column] for column in row} == row, f"{table} {name}"
    return len(rows)


@pytest.fixture
def billing(tmp_path):
    made = Billing(tmp_path, customers=12)
    yield made
    made.close()


@pytest.mark.timeout(400)  # two years of runs
def test_24_months_run_by_run(billing):
    """Read after each month for half a year, then after every third: some months end unread. At last a day later."""
    times = run_times(billing.world, MONTHS)
    for number in (*range(1, 7), *range(9, MONTHS + 1, 3), len(times)):
        now = times[number - 1]
        billing.run(now)
        if number % 6 == 0 or number in (1, 2, 3) or number == len(times):
            billing.compare(now, min(number, MONTHS))
    _world_was_worth_it(billing)


def _world_was_worth_it(billing) -> None:
    """The world had all that the tables must cope with; else the test above shows less than it says."""
    lists = [by_id for site in billing.world.sites.values() for by_id in site.versions.values()]
    versions = [version for by_id in lists for known in by_id.values() for version in known if version.body]
    bodies = [version.body for version in versions]
    late = [version for version in versions if version.body.get("updated_at", version.visible_at) < version.visible_at]
    assert any(moment(v.body["updated_at"]).month != moment(v.visible_at).month for v in late), "none late over a month's end"
    assert any(body.get("deleted") for body in bodies)
    subscriptions = billing.oracle.versions["subscriptions"].values()
    assert any(len({v["currency_code"] for v in known}) > 1 for known in subscriptions), "no change of currency"
    assert any(known[i]["deleted"] and not known[-1]["deleted"] for known in subscriptions for i in range(len(known)))
    ends = [moment(billing.oracle.border(month + 1)).date() for month in range(MONTHS)]
    assert any(end.weekday() >= 5 for end in ends) and any((end.month, end.day) == (1, 1) for end in ends)
    changes = {row["change"] for month in range(MONTHS) for row in billing.oracle.monthly("change", month).values()}
    assert changes == {"new", "churned", "upgraded", "downgraded", "unchanged", None}


def test_months_begin_where_they_are_known_and_end_at_midnight_of_the_zone(tmp_path):
    """Read for the first time after seven months; then all subscriptions are gone for a month, and one begins."""
    billing = Billing(tmp_path, customers=2, months=10, zone="Europe/Berlin")
    try:
        border = billing.oracle.border
        for site in billing.world.sites.values():
            for key, versions in list(site.versions["subscriptions"].items()):
                site.put("subscriptions", versions[-1].body | {"deleted": True}, border(7) + 1000)
            site.put("subscriptions", versions[0].body | {"id": f"{key}_again"}, border(8) + 3600)
            # Written in the last hour of a month that is another month in UTC, and long after its date.
            invoice = next(iter(site.versions["invoices"].values()))[0].body
            site.put("invoices", invoice | {"id": "inv_late_evening", "date": border(7) - 60}, border(7) - 60)
            site.put("invoices", invoice | {"id": "inv_backdated", "date": border(7) - 86400}, border(8) + 50)
        for months in (7, 8, 9):
            now = border(months) + 120
            done = billing.run(now)
            assert "invoice_stands_in_one_month" not in done.stderr
            billing.compare(now, months)
        changes = [set(row["change"] for row in billing.oracle.monthly("change", month).values()) for month in range(9)]
        assert changes == [set()] * 7 + [{"churned"}, {"new"}]
        with billing.project.lake() as lake:
            assert min(row["month"] for row in lake.rows("monthly.invoices")) == billing.oracle.day(border(6))
    finally:
        billing.close()


def test_a_second_run_changes_nothing_and_asks_for_little(billing):
    now = run_times(billing.world, 3)[2]
    billing.run(now)
    with billing.project.lake() as lake:
        before = lake.snapshots()
    billing.api.control({"reset": True})
    billing.project.run(clock=billing.clock.at(now + 60)).expect(0)
    with billing.project.lake() as lake:
        assert lake.snapshots() == before
    lists = [request for request in billing.api.requests() if request["site"]]
    assert len(lists) == 2 * 11, "each list of each site once"


def test_missing_rates_are_a_warning_and_no_zero(billing):
    now = run_times(billing.world, MONTHS)[-1]
    result = billing.run(now)
    assert "latest.subscriptions" in result.stderr + result.stdout
    assert "amount_eur" in result.stderr + result.stdout
    with billing.project.lake() as lake:
        unknown = [row for row in lake.rows("latest.invoices") if row["currency_code"] in ("ARS", "RUB")]
        assert unknown and all(row["total_eur"] is None and row["eur_rate"] is None for row in unknown)


# ---- the macro alone ----


@pytest.fixture(scope="module")
def macros():
    with duckdb.connect() as connection:
        text = (CHECKOUT / "templates/billing/project/macros/eur.sql").read_text(encoding="utf-8")
        for statement in text.split(";\n"):
            if "AS TABLE" not in statement:  # those read tables, which are not here
                connection.execute(statement)
        yield connection


def test_euros_are_exact_and_halves_go_to_the_even_cent(macros):
    choice = random.Random(3)
    cases = [(amount, 2, Decimal(2)) for amount in (1, 3, 5, -1, -3, -5, 0, 2)]  # ties, both signs
    cases += [(25, 0, Decimal("1000")), (35, 0, Decimal("1000")), (10**12, 3, Decimal("0.000001"))]
    for _ in range(2000):
        rate = Decimal(choice.randint(1, 10**choice.randint(1, 11))).scaleb(-choice.choice([0, 2, 4, 6]))
        cases.append((choice.randint(-(10**9), 10**9), choice.choice([0, 2, 3]), rate))
    values = ", ".join(f"({amount}, {digits}, {rate:f})" for amount, digits, rate in cases)
    rows = macros.execute(f"SELECT in_eur(a, d, CAST(r AS DECIMAL(18,6))) FROM (VALUES {values}) v(a, d, r)").fetchall()
    for (amount, digits, rate), (found,) in zip(cases, rows, strict=True):
        wanted = Decimal(round(fractions.Fraction(amount) * 100 / 10**digits / fractions.Fraction(rate))).scaleb(-2)
        assert found == wanted, (amount, digits, rate)


@pytest.mark.parametrize("arguments", ["NULL, 2, 1.5", "5, NULL, 1.5", "5, 2, NULL"])
def test_without_amount_digits_or_rate_there_are_no_euros(macros, arguments):
    assert macros.execute(f"SELECT in_eur({arguments})").fetchone() == (None,)


def test_every_rate_of_the_real_file_fits(macros):
    """The bank has never written more digits than a rate is kept with."""
    from support import totesys

    file = totesys.data_folder("ecb-exchange-rates") / "eurofxref-hist.csv"
    for line in file.read_text(encoding="utf-8").splitlines()[1:]:
        day, *rates = line.rstrip(",").split(",")
        datetime.date.fromisoformat(day)
        for rate in rates:
            assert rate == "N/A" or (Decimal(rate).as_tuple().exponent >= -6 and Decimal(rate) < 10**12)

"""Models of kind `period`: each month or day is built when it has ended, and again when what it shows has changed.

What is expected is computed here, in plain Python from the rows of the source; the lake is read by PyIceberg, the warehouse
by psycopg.
"""

import collections
import datetime
import json
import random
import zoneinfo

import pytest

from support.project import Project, diagnostics

LONDON = zoneinfo.ZoneInfo("Europe/London")
UTC = datetime.timezone.utc
FIRST = datetime.date(2023, 11, 1)

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, created_at timestamptz, country text, amount integer)"
MONTHLY = """
SELECT CAST(date_trunc('month', o.created_at AT TIME ZONE 'Europe/London') AS DATE) AS month, o.country,
       count(*) AS orders, CAST(sum(o.amount) AS BIGINT) AS amount
FROM src.orders o
WHERE o.created_at >= $period_start AND o.created_at < $period_end
GROUP BY ALL
"""
MONTHLY_HEAD = "kind: period\ntime: month\nfrom: 2023-11-01\nkey: [month, country]"
CHANGE = """
SELECT CAST($period_start AT TIME ZONE 'Europe/London' AS DATE) AS month, country,
       coalesce(n.amount, 0) - coalesce(o.amount, 0) AS more
FROM (FROM mart.monthly WHERE month = CAST($period_start AT TIME ZONE 'Europe/London' AS DATE)) n
FULL JOIN (FROM mart.monthly
           WHERE month = CAST($period_start AT TIME ZONE 'Europe/London' AS DATE) - INTERVAL 1 MONTH) o USING (country)
"""


def month_of(moment: datetime.datetime) -> datetime.date:
    return moment.astimezone(LONDON).date().replace(day=1)


def this_month() -> datetime.date:
    return datetime.datetime.now(LONDON).date().replace(day=1)


def next_month(month: datetime.date) -> datetime.date:
    return (month + datetime.timedelta(days=31)).replace(day=1)


def months() -> list[datetime.date]:
    """All that have ended, from FIRST on."""
    found = [FIRST]
    while next_month(found[-1]) < this_month():
        found.append(next_month(found[-1]))
    return found


def expected_monthly(rows: list[tuple]) -> list[tuple]:
    sums = collections.defaultdict(lambda: [0, 0])
    for _, created_at, country, amount in rows:
        if FIRST <= month_of(created_at) < this_month():
            group = sums[month_of(created_at), country]
            group[0] += 1
            group[1] += amount
    return sorted((month, country, *group) for (month, country), group in sums.items())


def expected_change(monthly: list[tuple]) -> list[tuple]:
    amounts = {(month, country): amount for month, country, _, amount in monthly}
    found = []
    for month in months():
        before = (month - datetime.timedelta(days=1)).replace(day=1)
        for country in {country for at, country in amounts if at in (month, before)}:
            found.append((month, country, amounts.get((month, country), 0) - amounts.get((before, country), 0)))
    return sorted(found)


def files(project: Project, table: str) -> set[str]:
    """Paths of the data files, as PyIceberg plans to read them."""
    with project.lake() as lake:
        return {task.file.file_path for task in lake.table(table).scan().plan_files()}


def exchanged(before: set, after: set) -> tuple[int, int]:
    """How many files came and went."""
    return len(after - before), len(before - after)


@pytest.fixture
def shop(make):
    """A year's end of orders, some of them minutes from a month's, in a project of London."""
    draw = random.Random(4)
    moments = [datetime.datetime(2023, 10, 28, tzinfo=UTC) + datetime.timedelta(hours=draw.uniform(0, 24 * 190)) for _ in range(300)]
    for year, month in ((2023, 12), (2024, 1), (2024, 2), (2024, 3), (2024, 4), (2024, 5)):
        midnight = datetime.datetime(year, month, 1, tzinfo=LONDON).astimezone(UTC)
        moments += [midnight - datetime.timedelta(microseconds=1), midnight, midnight - datetime.timedelta(minutes=30)]
        moments.append(datetime.datetime(year, month, 1, tzinfo=UTC))
    moments.append(datetime.datetime.now(UTC))  # of a month that goes on
    project = make(ORDERS, warehouse=True)
    project.write("leat.yaml", project.settings().replace("name: small\n", "name: small\ntimezone: Europe/London\n"))
    project.write("sources/src.yaml", 'type: postgres\nconnection: source\ndeletes: every_run\nstreams:\n  "*": {}\n')
    with project.source.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO orders VALUES (%s, %s, %s, %s)",
            [(i, moment, draw.choice(["DE", "FR", "GB"]), draw.randint(1, 99)) for i, moment in enumerate(moments)],
        )
    project.model("monthly", MONTHLY, MONTHLY_HEAD)
    project.model("change", CHANGE, "kind: period\ntime: month\nwarehouse: {table: monthly_change}")
    return project


def assert_right(project: Project) -> None:
    """Lake and warehouse hold what the rows of the source come to."""
    monthly = expected_monthly(project.source.rows("SELECT id, created_at, country, amount FROM orders"))
    change = expected_change(monthly)
    assert project.lake_rows("mart.monthly", "month", "country", "orders", "amount") == sorted(monthly, key=repr)
    assert project.lake_rows("mart.change", "month", "country", "more") == sorted(change, key=repr)
    assert project.loaded("monthly") == sorted(monthly, key=repr)
    assert project.loaded("monthly_change") == sorted(change, key=repr)


def test_months_are_those_of_the_zone_and_late_rows_change_theirs_alone(shop):
    shop.run().expect(0)
    assert_right(shop)
    with shop.lake() as lake:
        properties = lake.table("mart.monthly").properties
    assert properties["leat.period_first"] == "2023-11-01"
    ended = datetime.datetime.combine(this_month(), datetime.time(), LONDON).astimezone(UTC)
    assert properties["leat.period_until"] == ended.strftime("%Y-%m-%dT%H:%M:%SZ")

    before, before_change, snapshots = files(shop, "mart.monthly"), files(shop, "mart.change"), shop.snapshots()
    shop.run().expect(0)
    assert shop.snapshots() == snapshots
    assert shop.command("plan", "--exit-code").code == 0

    shop.execute("INSERT INTO orders VALUES (9001, '2024-03-10 12:00Z', 'GB', 1000)")
    shop.run().expect(0)
    assert_right(shop)
    assert exchanged(before, files(shop, "mart.monthly")) == (1, 1)
    assert exchanged(before_change, files(shop, "mart.change")) == (2, 2)  # March, and April since it looks back

    before = files(shop, "mart.monthly")
    shop.execute("DELETE FROM orders WHERE created_at >= '2023-12-05' AND created_at < '2023-12-20'")
    shop.execute("UPDATE orders SET created_at = '2024-02-03 08:00Z' WHERE id = 9001")
    shop.run().expect(0)
    assert_right(shop)
    assert exchanged(before, files(shop, "mart.monthly")) == (3, 3)

    snapshots = shop.snapshots()
    shop.execute("INSERT INTO orders VALUES (9002, now(), 'GB', 1)")
    shop.run().expect(0)
    assert {name for name, snapshot in shop.snapshots().items() if snapshot != snapshots[name]} == {"src.orders__history"}
    assert_right(shop)

    shop.run("--full-refresh").expect(0)
    assert_right(shop)


def test_a_failed_check_publishes_nothing_and_is_judged_again(shop):
    shop.model("monthly", MONTHLY, MONTHLY_HEAD + "\nchecks: [range: {amount: {max: 5000}}]")
    shop.run().expect(0)
    snapshots = shop.snapshots()
    shop.execute("INSERT INTO orders VALUES (9001, '2024-03-10 12:00Z', 'GB', 100000)")
    for _ in range(2):
        failed = shop.run().expect(1)
        assert "error[LEAT0705]: check range(amount) on mart.monthly failed" in failed.stderr
        assert {**shop.snapshots(), "src.orders__history": None} == {**snapshots, "src.orders__history": None}
        assert not any(amount > 5000 for *_, amount in shop.loaded("monthly"))
    shop.execute("UPDATE orders SET amount = 7 WHERE id = 9001")
    shop.run().expect(0)
    assert_right(shop)


def test_a_key_that_stands_in_two_periods_is_refused(shop):
    shop.model("monthly", MONTHLY, MONTHLY_HEAD.replace("[month, country]", "country"))
    assert "error[LEAT0708]: mart.monthly: 3 values of key country stand in more than one row" in shop.run().expect(1).stderr


def test_a_row_outside_its_period_is_shown_with_both(shop):
    shop.model("monthly", MONTHLY.replace("'Europe/London'", "'Asia/Tokyo'"), MONTHLY_HEAD)
    assert (
        "error[LEAT0243]: mart.monthly: 2 rows of period 2023-11 lie outside of it, such as one of month 2023-12-01; expected "
        "2023-11-01 or later and before 2023-12-01"
    ) in shop.run().expect(1).stderr


def last_sundays() -> list[datetime.date]:
    """When clocks changed in London, the last two times."""
    today, found = datetime.datetime.now(LONDON).date(), []
    for year in (today.year, today.year - 1):
        for month in (10, 3):
            last = datetime.date(year, month, 31)
            last -= datetime.timedelta(days=(last.weekday() + 1) % 7)
            if last < today - datetime.timedelta(days=3):
                found.append(last)
    return found[:2]


def test_days_have_23_and_25_hours_where_clocks_change(make):
    project = make("CREATE TABLE tick (ticked_at timestamptz PRIMARY KEY)")
    project.write("leat.yaml", project.settings() + "timezone: Europe/London\n")
    ticks = []
    for sunday in last_sundays():
        midnight = datetime.datetime.combine(sunday - datetime.timedelta(days=1), datetime.time(), LONDON).astimezone(UTC)
        ticks += [midnight + datetime.timedelta(minutes=30 * i) for i in range(2 * 24 * 3)]
    with project.source.connect() as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO tick VALUES (%s)", [(tick,) for tick in ticks])
    first = min(last_sundays()) - datetime.timedelta(days=5)
    project.model(
        "daily",
        "SELECT $period_start AS day, count(*) AS ticks, $period_end - $period_start = INTERVAL 24 HOURS AS is_usual\n"
        "FROM src.tick WHERE ticked_at >= $period_start AND ticked_at < $period_end HAVING count(*) > 0",
        f"kind: period\nperiod: day\ntime: day\nfrom: {first}",
    )
    project.run().expect(0)
    counts = collections.Counter(tick.astimezone(LONDON).date() for tick in ticks)
    expected = [
        (datetime.datetime.combine(day, datetime.time(), LONDON).astimezone(UTC), count, day not in last_sundays())
        for day, count in counts.items()
    ]
    assert {46, 50} <= set(counts.values())
    assert project.lake_rows("mart.daily", "day", "ticks", "is_usual") == sorted(expected, key=repr)


def test_a_preview_shows_the_last_period(shop):
    shop.run().expect(0)
    last = this_month() - datetime.timedelta(days=1)
    shop.execute(f"INSERT INTO orders VALUES (9001, '{last} 12:00Z', 'GB', 1000)")
    shop.run().expect(0)
    rows = shop.command("preview", "mart.monthly", "--format", "csv").expect(0).stdout.splitlines()[1:]
    assert rows == [f"{last.replace(day=1)},GB,1,1000"]
    assert shop.command("preview", "models/mart/monthly.sql", "--format", "csv").expect(0).stdout.splitlines()[1:] == rows


def test_projects_that_are_wrong_are_refused_with_their_place(make):
    project = make(ORDERS)
    project.write("leat.yaml", project.settings() + "timezone: Europe/Lundon\n")
    refused = diagnostics(project.command("validate").expect(2))
    assert "error[LEAT0240]: timezone is 'Europe/Lundon'; expected a name of the IANA time zone database" in refused
    assert "did you mean Europe/London?" in refused

    project.write("leat.yaml", project.settings())
    project.model("monthly", "SELECT id, created_at AS month FROM src.orders", "kind: period\ntime: month")
    project.model("all", "SELECT id FROM src.orders WHERE created_at < $period_end")
    refused = diagnostics(project.command("validate").expect(2))
    assert "error[LEAT0242]: mart.monthly is of `kind: period` and names neither $period_start nor $period_end" in refused
    assert "models/mart/all.sql:1:46" in refused

    project.model("all", "SELECT id FROM src.orders")
    project.model("monthly", "SELECT id, country AS month FROM src.orders WHERE created_at < $period_end", "kind: period\ntime: month")
    refused = diagnostics(project.command("validate").expect(2))
    assert "error[LEAT0241]: `time` names column month of type VARCHAR; expected a DATE, a TIMESTAMP" in refused


def test_plan_and_lineage_know_the_kind(shop):
    done = json.loads(shop.command("lineage", "mart.change", "--json").expect(0).stdout)
    assert '"kind": "period"' in json.dumps(done)
    shop.run().expect(0)
    shop.model("monthly", MONTHLY, MONTHLY_HEAD.replace("2023-11-01", "2023-12-01"))
    planned = shop.command("plan").expect(0).stdout
    assert "~ mart.monthly" in planned and "2023-12-01" in planned

"""An API that misbehaves on purpose: the lake equals the API's own table, or the run fails by name and the next one heals.

The API is that of the demo, over a small world of this file's own: 250 invoices with lines, all created in the same
second, and 3 customers. Pages hold 100 rows, so a full read of the invoices asks three times.
"""

import time

import pytest
from support.billing import BillingApi, Canary, Project, Site, World
from support.json_walker import leaves, missing
from support.leat import Leat

SITE, INVOICES, PAGES = "acme", 250, 3
_KEY = "live_canary_5f1c"
_SOURCE = """type: http
base_url: "{url}/{{site}}/api/v2"
partitions: {{site: {{acme: {{api_key: "${{ACME_KEY}}"}}}}}}
auth: {{type: basic, user: "{{api_key}}"}}
rate_limit: {{requests: 1000, per: 1s}}
retry: {{attempts: 3, wait_max: 2s}}
timeout: 1s
paginate: {{type: token, read: $.next_offset, param: offset}}
params: {{limit: 100, include_deleted: true, "updated_at[between]": "[{{since}},{{until}}]"}}
position: {{from: updated_at, unit: s, overlap: 5m, start: {start}}}
key: id
version: resource_version
version_time: updated_at
deleted: {{deleted: true}}
timestamps: ["*_at", date]
streams:
  invoices: {{path: /invoices, records: "$.list[*].invoice", params: {{"sort_by[asc]": date}}}}
  customers: {{path: /customers, records: "$.list[*].customer", params: {{"sort_by[asc]": created_at}}}}
  orders: {{path: /orders, records: "$.list[*].order"}}
"""


def _invoice(number: int, **changes) -> dict:
    lines = [
        {"id": f"li_{number}_{n}", "amount": 100 * n + number, "description": f"Line {n}", "object": "line_item"}
        for n in range(1, 1 + number % 3)
    ]
    body = {"id": f"inv_{number:03d}", "date": 1_770_000_000, "status": "paid", "total": 1000 + number, "deleted": False,
            "currency_code": "EUR", "line_items": lines, "object": "invoice"}
    return body | changes


class Small:
    """The world, its API, a project that reads it, and the lake beside the truth."""

    def __init__(self, folder) -> None:
        self.site = Site(SITE, "plan", "EUR", _KEY)
        stamp = int(time.time()) - 86400
        for number in range(1, INVOICES + 1):
            self.site.put("invoices", _invoice(number), stamp)
        for number in range(1, 4):
            self.site.put("customers", {"id": f"cus_{number}", "created_at": stamp, "deleted": False, "object": "customer",
                                        "contacts": [{"id": "c", "email": f"{number}@example.com"}]}, stamp)
        self.api = BillingApi(World({SITE: self.site}, stamp, stamp)).__enter__()
        self.project = Project(Leat(folder / "home", folder), folder / "project", {"ACME_KEY": _KEY})
        self.project.write("leat.yaml", "name: small\n")
        start = time.strftime("%Y-%m-%d", time.gmtime(stamp - 86400))
        self.project.write("sources/billing.yaml", _SOURCE.format(url=self.api.url, start=start))

    def close(self) -> None:
        self.api.__exit__()

    def faults(self, *faults: dict) -> None:
        self.api.control({"reset": True, "faults": list(faults)})

    def change(self, number: int, stamp: int | None = None, visible_at: int | None = None, **changes) -> dict:
        """What a `put` order holds: a new version of an invoice, stamped now."""
        now = int(time.time())
        return {"site": SITE, "endpoint": "invoices", "body": _invoice(number, **changes), "at": stamp or now,
                "visible_at": visible_at or stamp or now}

    def run(self, *args) -> "Small":
        """A run that must succeed."""
        self.project.run(*args).expect(0)
        return self

    def is_exact(self) -> None:
        """The lake's current rows are the API's, each with all its values; no version stands twice."""
        with self.project.lake() as lake:
            for endpoint in ("invoices", "customers"):
                _compare(self.api.state(SITE, endpoint), *_rows_of(lake, endpoint))

    def ids(self, endpoint: str = "invoices") -> set[str]:
        with self.project.lake() as lake:
            current, _ = _rows_of(lake, endpoint)
            return set(current)


def _rows_of(lake, endpoint: str) -> tuple[dict[str, dict], dict[tuple[str, int], list[dict]]]:
    """The newest version of each id unless it is deleted, and the rows of its lists by id and version."""
    newest: dict[str, dict] = {}
    rows = lake.rows(f"billing.{endpoint}__history")
    versions = [(row["id"], row.get("resource_version"), row["_leat_op"]) for row in rows]
    assert len(versions) == len(set(versions)), "a version stands twice"
    for row in sorted(rows, key=lambda row: row["_leat_seq"]):
        newest[row["id"]] = row
    lists: dict[tuple[str, int], list[dict]] = {}
    for name in lake.names():
        if name.startswith(f"billing.{endpoint}__") and not name.endswith(("__rejects", f"{endpoint}__history")):
            for row in lake.rows(name):
                kept = {column: cell for column, cell in row.items() if column not in ("site", "position", f"{endpoint}_id")}
                lists.setdefault((row[f"{endpoint}_id"], row["_leat_seq"]), []).append(kept)
    return {key: row for key, row in newest.items() if row["_leat_op"] == "u"}, lists


def _compare(truth: dict[str, dict], current: dict[str, dict], lists: dict[tuple[str, int], list[dict]]) -> None:
    truth = {key: body for key, body in truth.items() if not body.get("deleted")}
    assert current.keys() == truth.keys()
    for key, body in truth.items():
        own = {column: cell for column, cell in current[key].items() if column != "site"}
        rows = [own, *lists.get((key, own["_leat_seq"]), [])]
        assert missing(body, rows) == [], key
        cells = sum(len(leaves(_plain(row))) for row in rows)
        assert cells == len(leaves(body)), f"{key}: the lake has more values than the API"


def _plain(row: dict) -> dict:
    return {column: str(cell) for column, cell in row.items() if cell is not None and not column.startswith("_leat_")}


@pytest.fixture
def small(tmp_path):
    made = Small(tmp_path)
    yield made
    made.close()


@pytest.fixture
def loaded(small):
    """After a first run that had no trouble."""
    small.run().is_exact()
    return small


# ---- what changes while it is read ----


def test_equal_stamps_and_an_empty_list(small):
    small.run().is_exact()
    assert len(small.ids()) == INVOICES
    assert len(small.api.requests("invoices")) == PAGES
    with small.project.lake() as lake:
        assert not lake.names() & {"billing.orders__rejects"} or not lake.rows("billing.orders__rejects")


def test_rows_that_change_while_paging(small):
    read, unread = small.change(1, total=7), small.change(INVOICES, total=8)
    added, gone = small.change(INVOICES + 1), small.change(2, deleted=True)
    small.faults(*({"do": "put", "endpoint": "invoices", "request": 2, "put": put} for put in (read, unread, added, gone)))
    small.run()
    small.run().is_exact()


def test_rows_visible_late(small):
    now = int(time.time())
    small.api.put(small.change(3, stamp=now - 120, visible_at=now + 3600, total=5))
    small.run()
    small.api.fixed_now = now + 3600  # its clock only: what was stamped before the first run shows now
    small.run().is_exact()


def test_the_next_read_begins_before_the_last_one_ended(loaded):
    loaded.api.control({"reset": True})
    first = int(time.time())
    loaded.run()
    since, until = eval(loaded.api.requests("invoices")[0]["query"]["updated_at[between]"])  # noqa: S307 - our own text
    assert first - 310 <= since <= first - 295 and first <= until <= first + 5


def test_deleted_rows_are_told_when_they_are_asked_for(loaded):
    loaded.api.put(loaded.change(9, deleted=True))
    loaded.run().is_exact()
    assert "inv_009" not in loaded.ids()


def test_deleted_rows_stay_when_the_api_keeps_silent(loaded):
    loaded.project.edit("sources/billing.yaml", "include_deleted: true, ", "")
    loaded.api.put(loaded.change(9, deleted=True))
    loaded.run()
    assert "inv_009" in loaded.ids()


def test_a_full_read_notices_what_vanished(small):
    small.project.edit("sources/billing.yaml", 'include_deleted: true, "updated_at[between]": "[{since},{until}]"', "")
    text = (small.project.path / "sources/billing.yaml").read_text().splitlines(keepends=True)
    small.project.write("sources/billing.yaml", "".join(line for line in text if not line.startswith("position")))
    small.run()
    small.api.put(small.change(9, deleted=True))
    small.run().is_exact()
    assert "inv_009" not in small.ids()


def test_an_id_returns_after_its_deletion(loaded):
    loaded.api.put(loaded.change(4, deleted=True))
    loaded.run().is_exact()
    loaded.api.put(loaded.change(4, total=44))
    loaded.run().is_exact()
    assert "inv_004" in loaded.ids()


# ---- what passes by itself ----

PASSING = {
    "429, wait a second": {"do": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "429, wait until a day long gone": {
        "do": "status",
        "status": 429,
        "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"},
    },
    "429, wait -5 seconds": {"do": "status", "status": 429, "headers": {"Retry-After": "-5"}},
    "429, wait soon": {"do": "status", "status": 429, "headers": {"Retry-After": "soon"}},
    "500": {"do": "status", "status": 500},
    "503 without a word": {"do": "status", "status": 503, "body": ""},
    "half a body": {"do": "truncate"},
    "half a gzip body": {"do": "cut_gzip"},
    "slower than the timeout": {"do": "slow", "seconds": 1.5},
    "connection dropped": {"do": "drop"},
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_what_passes_is_tried_again(small, fault):
    small.faults(fault | {"endpoint": "invoices", "request": 2})
    small.run().is_exact()
    assert len(small.api.requests("invoices")) == PAGES + 1


# ---- what does not ----

FAILING = {
    "429 that lasts for hours": {"do": "status", "status": 429, "headers": {"Retry-After": "99999"}},
    "500 for ever": {"do": "status", "status": 500, "times": 0},
    "a page of HTML": {"do": "content_type", "times": 0},
    "half of the JSON": {"do": "bad_json", "times": 0},
    "the same next page for ever": {"do": "loop", "times": 0},
    "a page above every limit": {"do": "oversize", "bytes": 300_000_000, "times": 0},
    "the key is refused": {"do": "status", "status": 401, "times": 0},
    "not found": {"do": "status", "status": 404, "times": 0},
}


@pytest.mark.parametrize("fault", FAILING.values(), ids=FAILING.keys())
def test_what_does_not_pass_fails_the_stream_and_heals(small, fault):
    small.project.edit("sources/billing.yaml", "timeout: 1s", "timeout: 10s")
    small.faults({"request": 2} | fault | {"endpoint": "invoices"})
    failed = small.project.run().expect(1)
    assert "billing.invoices" in failed.stdout + failed.stderr
    assert "error[LEAT" in failed.stderr and "= help:" in failed.stderr
    assert _KEY not in failed.stdout + failed.stderr
    with small.project.lake() as lake:
        names = lake.names()
        assert "billing.invoices__history" not in names, "nothing of a read that failed is published"
        assert len(lake.rows("billing.customers__history")) == 3, "the others are"
    assert len(small.api.requests("invoices")) <= 2 + 3, "what is final is not asked for again and again"
    small.faults()
    small.run().is_exact()


def test_the_key_follows_to_no_other_host(small):
    with Canary() as canary:
        small.faults({"do": "redirect", "location": f"{canary.url}/elsewhere", "endpoint": "invoices", "request": 2})
        small.project.run().expect(1)
        assert canary.seen, "the redirect was not followed, so nothing was shown"
        for request in canary.seen:
            assert "authorization" not in request
            assert _KEY not in str(request)
    small.faults()
    small.run().is_exact()


# ---- what is cut off ----


@pytest.mark.parametrize("page", range(1, PAGES + 1))
def test_killed_while_a_page_is_on_its_way(loaded, page):
    for number in range(1, INVOICES + 1):
        loaded.api.put(loaded.change(number, total=5000 + number))
    loaded.faults({"do": "hold", "endpoint": "invoices", "request": page})
    running = loaded.project.start()
    assert loaded.api.wait_for(page, "invoices")
    running.kill()
    running.communicate()
    loaded.api.control({"release": True})
    loaded.faults()
    loaded.run().is_exact()


@pytest.mark.parametrize("pause_ms", [0, 15, 40])
def test_killed_after_the_last_page(small, pause_ms):
    running = small.project.start()
    assert small.api.wait_for(PAGES, "invoices")
    time.sleep(pause_ms / 1000)
    running.kill()
    running.communicate()
    small.run().is_exact()

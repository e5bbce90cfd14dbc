"""The billing API of the demo, on which other tests rely: asked by urllib, compared with its world."""

import base64
import gzip
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from support.billing import BillingApi, Canary, generate
from support.billing_oracle import OVERLAP_S, Oracle, run_times


@pytest.fixture(scope="module")
def world():
    return generate(customers=12)


@pytest.fixture
def api(world):
    with BillingApi(world, now=world.end) as served:
        yield served


def get(api, site: str, endpoint: str, key: str | None = None, **query) -> dict:
    key = key or api.world.sites[site].key
    url = f"{api.url}/{site}/api/v2/{endpoint}?{urllib.parse.urlencode(query)}"
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {credentials}", "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        body = answer.read()
        return json.loads(gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body)


def read_all(api, site: str, endpoint: str, **query) -> list[dict]:
    found, more = [], {}
    while True:
        page = get(api, site, endpoint, **query, **more)
        found += [entry[api.lists[endpoint].wrapper] for entry in page["list"]]
        if "next_offset" not in page:
            return found
        more = {"offset": page["next_offset"]}


def refusal(api, *args, **query) -> tuple[int, dict, dict]:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(api, *args, **query)
    return refused.value.code, json.loads(refused.value.read()), dict(refused.value.headers)


def test_pages_add_up_to_the_list(api):
    for site, endpoint, limit in (("acme-eu", "subscriptions", 7), ("acme-us", "item_prices", 100), ("acme-eu", "events", 50)):
        query = {"include_deleted": "true"} if api.lists[endpoint].deleted else {}
        rows = read_all(api, site, endpoint, limit=limit, **query)
        assert len(rows) == len(api.state(site, endpoint))
        assert {row["id"]: row for row in rows} == api.state(site, endpoint)


def test_deleted_rows_are_hidden_unless_asked_for(api):
    all_ids = {row["id"] for row in read_all(api, "acme-eu", "customers", include_deleted="true", limit=100)}
    shown = read_all(api, "acme-eu", "customers", limit=100)
    assert {row["id"] for row in shown} < all_ids
    assert not any(row["deleted"] for row in shown)


def test_filters_and_order(api):
    stamps = sorted(body["updated_at"] for body in api.state("acme-eu", "invoices").values())
    low, high = stamps[len(stamps) // 4], stamps[len(stamps) // 2]
    query = {"updated_at[between]": f"[{low},{high}]", "sort_by[desc]": "date", "include_deleted": "true", "limit": 9}
    rows = read_all(api, "acme-eu", "invoices", **query)
    assert sorted(row["updated_at"] for row in rows) == [stamp for stamp in stamps if low <= stamp <= high]
    assert [row["date"] for row in rows] == sorted((row["date"] for row in rows), reverse=True)
    after = read_all(api, "acme-eu", "invoices", **{"updated_at[after]": low, "include_deleted": "true", "limit": 100})
    assert sorted(row["updated_at"] for row in after) == [stamp for stamp in stamps if stamp > low]


def test_what_is_refused(api):
    status, body, _ = refusal(api, "acme-eu", "items")
    assert status == 400 and "not enabled" in body["message"]
    assert refusal(api, "acme-eu", "invoices", "wrong_key")[0] == 401
    wrong = {"limit": 101, "include_deleted": "yes", "sort_by[asc]": "total", "updated_at[after]": "1.5", "offset": "x"}
    for query in ({name: value} for name, value in wrong.items()):
        status, body, _ = refusal(api, "acme-eu", "invoices", **query)
        assert status == 400 and body["param"] in query
    assert refusal(api, "acme-eu", "plans", include_deleted="true")[0] == 400
    api.rate = (2, 60)
    for _ in range(2):
        get(api, "acme-us", "coupons")
    status, body, headers = refusal(api, "acme-us", "coupons")
    assert (status, body["api_error_code"], headers["Retry-After"]) == (429, "api_request_limit_exceeded", "1")


def test_a_fault_hits_the_request_it_names(api):
    api.control({"faults": [{"do": "status", "status": 500, "endpoint": "coupons", "request": 2, "times": 2}]})
    answers = []
    for endpoint in ("coupons", "plans", "coupons", "coupons", "coupons"):
        try:
            get(api, "acme-eu", endpoint)
            answers.append(200)
        except urllib.error.HTTPError as error:
            answers.append(error.code)
    assert answers == [200, 200, 500, 500, 200]
    assert [request["status"] for request in api.requests("coupons")] == [200, 500, 500, 200]


def test_a_redirect_leads_to_the_canary(api):
    with Canary() as canary:
        api.control({"faults": [{"do": "redirect", "location": f"{canary.url}/x"}]})
        with pytest.raises(urllib.error.HTTPError):
            get(api, "acme-eu", "coupons")
        assert [request["path"] for request in canary.seen] == ["/x"]
        assert "authorization" in canary.seen[0], "urllib lets it follow; what reads safely does not"


def test_a_reader_that_asks_month_by_month_sees_what_the_oracle_says(world):
    """The oracle takes the versions from the world; here they come over HTTP."""
    oracle, seen, since = Oracle(world), {}, 0
    times = run_times(world, 24)
    with BillingApi(world) as api:
        for now in times[:6]:
            api.fixed_now = now
            oracle.read(now)
            query = {"updated_at[between]": f"[{since},{now}]", "include_deleted": "true", "limit": 100}
            for row in read_all(api, "acme-eu", "subscriptions", **query):
                seen.setdefault(row["id"], {})[row["resource_version"]] = row
            since = now - OVERLAP_S
    wanted = {
        key: {version["resource_version"]: version for version in versions}
        for (site, key), versions in oracle.versions["subscriptions"].items()
        if site == "acme-eu"
    }
    assert seen == wanted

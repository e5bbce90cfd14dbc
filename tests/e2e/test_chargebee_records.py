"""Real records of a billing system, served by the API of the demo: every value of every record is found again in the lake.

The records of the plan model are taken out of events and responses, where one resource occurs in several versions. The
n-th version of each is served by a site of its own, `plans_n`, so one read sees them all.
"""

import datetime
import gzip
import json
import pathlib
from decimal import Decimal

import pytest
from support import totesys
from support.billing import BillingApi, Endpoint, Project, Site, World
from support.json_walker import leaves, missing
from support.leat import Leat


def _plural(resource: str) -> str:
    return resource[:-1] + "ies" if resource.endswith("y") else resource + "s"


def _item_model(folder: pathlib.Path) -> dict[str, list[dict]]:
    return {
        _plural(file.stem): [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in sorted((folder / "records-item-model").glob("*.jsonl"))
    }


def _plan_model(folder: pathlib.Path) -> dict[str, list[dict]]:
    """Every resource that stands in an event or a response, and the events themselves."""
    found: dict[str, list[dict]] = {}
    for file in sorted((folder / "events-plan-model").glob("*.json")):
        event = json.loads(file.read_text(encoding="utf-8"))
        found.setdefault("events", []).append(event)
        _collect(event["content"], found)
    for file in sorted((folder / "responses-plan-model").glob("*.json")):
        response = json.loads(file.read_text(encoding="utf-8"))
        _collect(response if "object" not in response else {response["object"]: response}, found)
    return found


def _collect(content: dict, found: dict[str, list[dict]]) -> None:
    for resource, body in content.items():
        name = resource if isinstance(body, list) else _plural(resource)
        for record in body if isinstance(body, list) else [body]:
            if isinstance(record, dict) and "id" in record:
                found.setdefault(name, []).append(record)


def _sites(lists: dict[str, list[dict]], name: str) -> dict[str, Site]:
    """The n-th version of every record as the site `name_n`; the same record again is no version."""
    sites: dict[str, Site] = {}
    for endpoint, records in lists.items():
        versions: dict[str, list[dict]] = {}
        for record in records:
            known = versions.setdefault(record["id"], [])
            if record in known:
                continue
            known.append(record)
            site = sites.setdefault(f"{name}_{len(known)}", Site(f"{name}_{len(known)}", "any", "USD", "live_key"))
            site.put(endpoint, record, visible_at=0)
    return sites


def _source(url: str, sites: dict[str, Site], endpoints: list[str]) -> str:
    streams = "\n".join(f'  {name}: {{path: "/{name}", records: "$.list[*].record"}}' for name in endpoints)
    return f"""type: http
base_url: "{url}/{{site}}/api/v2"
partitions: {{site: [{", ".join(sites)}]}}
auth: {{type: basic, user: "${{LIVE_KEY}}"}}
rate_limit: {{requests: 1000, per: 1s}}
paginate: {{type: token, read: $.next_offset, param: offset}}
params: {{limit: 7, include_deleted: true}}
key: id
timestamps: {{columns: ["*_at", date, "*_date", date_from, date_to, "trial_*", current_term_start, current_term_end], unit: s}}
streams:
{streams}
"""


@pytest.fixture(scope="module")
def sites():
    folder = totesys.data_folder("chargebee")
    return _sites(_item_model(folder), "items") | _sites(_plan_model(folder), "plans")


@pytest.fixture(scope="module")
def lake(sites, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chargebee")
    endpoints = sorted({endpoint for site in sites.values() for endpoint in site.versions})
    lists = {endpoint: Endpoint("record", ()) for endpoint in endpoints}
    with BillingApi(World(sites, 0, 0), now=1, lists=lists) as api:
        project = Project(Leat(folder / "home", folder), folder / "project", {"LIVE_KEY": "live_key"})
        project.write("leat.yaml", "name: records\n")
        project.write("sources/billing.yaml", _source(api.url, sites, endpoints))
        project.run().expect(0)
    with project.lake() as found:
        found.tables = {name: found.rows(name) for name in sorted(found.names())}
        found.read_by = project
        yield found


def _served(sites: dict[str, Site]) -> list[tuple[str, str, dict]]:
    """Every record that was served, with its site and list."""
    return [
        (site.name, endpoint, version.body)
        for site in sites.values()
        for endpoint, by_id in site.versions.items()
        for (version,) in by_id.values()
    ]


def _rows_of(lake, site: str, endpoint: str, key: str) -> list[dict]:
    """The row of a record and those of its lists, without the columns that say whose they are."""
    found = []
    for name, rows in lake.tables.items():
        stream = name.removeprefix("billing.").removesuffix("__history")
        if stream == endpoint:
            owner, own = "id", {"site"}
        elif stream.startswith(f"{endpoint}__") and not stream.endswith("__rejects"):
            owner, own = f"{endpoint}_id", {"site", f"{endpoint}_id"}
        else:
            continue
        for row in rows:
            if (row["site"], row[owner]) == (site, key):
                found.append({column: cell for column, cell in row.items() if column not in own and not column.endswith("position")})
    return found


def test_every_value_of_every_record_is_found_in_some_table(sites, lake):
    checked = 0
    for site, endpoint, record in _served(sites):
        lost = missing(record, _rows_of(lake, site, endpoint, record["id"]))
        assert not lost, f"{site} {endpoint} {record['id']}: {lost}"
        checked += len(leaves(record))
    assert checked > 4000


def test_records_in_landing_are_rows_and_nothing_was_refused(sites, lake):
    """Every record stands in a landed page as it was sent, and is one row of its stream."""
    landed = []
    for file in sorted((lake.project / "lake" / "landing").rglob("*.json.gz")):
        stream, site = file.relative_to(lake.project / "lake" / "landing" / "billing").parts[:2]
        for entry in json.loads(gzip.decompress(file.read_bytes()))["list"]:
            landed.append((site, stream, json.dumps(entry["record"], sort_keys=True)))
    served = [(site, endpoint, json.dumps(record, sort_keys=True)) for site, endpoint, record in _served(sites)]
    assert sorted(landed) == sorted(served)
    for name, rows in lake.tables.items():
        assert not (name.endswith("__rejects") and rows), f"{name}: {rows[:3]}"
    parents = [
        (row["site"], name.removeprefix("billing.").removesuffix("__history"), row["id"])
        for name, rows in lake.tables.items()
        if name.count("__") == 1 and name.endswith("__history")
        for row in rows
    ]
    assert sorted(parents) == sorted((site, endpoint, record["id"]) for site, endpoint, record in _served(sites))


def test_landing_is_all_it_takes_to_make_the_tables_again(lake):
    """The API is gone by now."""
    lake.read_by.run("--from-landing").expect(0)
    with lake.read_by.lake() as again:
        assert again.names() == set(lake.tables)
        for name, rows in lake.tables.items():
            assert sorted(map(str, again.rows(name))) == sorted(map(str, rows)), name


def test_the_walker_notices_what_is_lost():
    record = {"id": "a", "at": 1626053281, "rate": 1.0, "ok": True, "lines": [{"n": 5}, {"n": 5}], "tags": ["x"]}
    at = datetime.datetime(2021, 7, 12, 1, 28, 1, tzinfo=datetime.timezone.utc)
    parent = {"id": "a", "at": at, "rate": Decimal("1.000000000"), "ok": True, "tags": ["x"], "_leat_op": "u"}
    assert missing(record, [parent, {"n": 5}, {"n": 5}]) == []
    assert missing(record, [parent, {"lines": '[{"n": 5}, {"n": 5}]'}]) == []
    assert missing(record, [parent, {"n": 5}]) == ["5"], "one of two equal values"
    assert missing(record, [parent | {"at": at + datetime.timedelta(hours=1)}, {"n": 5}, {"n": 5}]) == ["1626053281"]
    assert missing(record, [parent | {"rate": Decimal("1.01")}, {"n": 5}, {"n": 5}]) == ["1"]
    assert missing(record, [parent | {"ok": 1}, {"n": 5}, {"n": 5}]) == ["bool True"]

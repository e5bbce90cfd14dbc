"""Real records of a billing system, served by the API of the demo: every value of every record is found again in the lake.

The records of the plan model are taken out of events and responses, where one resource occurs in several versions. The
API shows the n-th version of each in wave n, and the lake is read once for each wave.
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


class Records:
    """The records of a site by endpoint and id, each id with its versions in their order, none twice."""

    def __init__(self, lists: dict[str, list[dict]]) -> None:
        self.versions: dict[str, dict[str, list[dict]]] = {}
        for endpoint, records in lists.items():
            by_id = self.versions.setdefault(endpoint, {})
            for record in records:
                known = by_id.setdefault(record["id"], [])
                if record not in known:
                    known.append(record)
            for known in by_id.values():
                known.sort(key=lambda record: record.get("resource_version", 0))

    def waves(self) -> int:
        return max(len(known) for by_id in self.versions.values() for known in by_id.values())

    def site(self, name: str) -> Site:
        site = Site(name, "any", "USD", f"{name}_key")
        for endpoint, by_id in self.versions.items():
            for known in by_id.values():
                for wave, record in enumerate(known, 1):
                    site.put(endpoint, record, visible_at=wave)
        return site


def _source(url: str, endpoints: list[str]) -> str:
    streams = "\n".join(f'  {name}: {{path: "/{name}", records: "$.list[*].record"}}' for name in endpoints)
    return f"""type: http
base_url: "{url}/{{site}}/api/v2"
partitions: {{site: {{items: {{api_key: "${{ITEMS_KEY}}"}}, plans: {{api_key: "${{PLANS_KEY}}"}}}}}}
auth: {{type: basic, user: "{{api_key}}"}}
rate_limit: {{requests: 1000, per: 1s}}
paginate: {{type: token, read: $.next_offset, param: offset}}
params: {{limit: 7}}
key: id
timestamps: {{columns: ["*_at", date, "*_date", date_from, date_to, "trial_*", current_term_start, current_term_end], unit: s}}
streams:
{streams}
"""


@pytest.fixture(scope="module")
def records():
    folder = totesys.data_folder("chargebee")
    return {"items": Records(_item_model(folder)), "plans": Records(_plan_model(folder))}


@pytest.fixture(scope="module")
def lake(records, tmp_path_factory):
    """Every wave of every list, read; what landing holds is the same records, so counts can be compared."""
    folder = tmp_path_factory.mktemp("chargebee")
    endpoints = sorted({endpoint for site in records.values() for endpoint in site.versions})
    world = World({name: each.site(name) for name, each in records.items()}, 0, 0)
    lists = {endpoint: Endpoint("record", (), deleted=False) for endpoint in endpoints}
    with BillingApi(world, now=1, lists=lists) as api:
        keys = {"ITEMS_KEY": "items_key", "PLANS_KEY": "plans_key"}
        project = Project(Leat(folder / "home", folder), folder / "project", keys)
        project.write("leat.yaml", "name: records\n")
        project.write("sources/billing.yaml", _source(api.url, endpoints))
        for wave in range(1, max(each.waves() for each in records.values()) + 1):
            api.fixed_now = wave
            project.run().expect(0)
    with project.lake() as found:
        found.tables = {name: found.rows(name) for name in sorted(found.names())}
        yield found


def _rows_of(lake, endpoint: str, site: str, key: str) -> dict[int, list[dict]]:
    """By version: the row of a resource and those of its lists, without the columns that say whose they are."""
    versions: dict[int, list[dict]] = {}
    for name, rows in lake.tables.items():
        stream = name.removeprefix("billing.").removesuffix("__history")
        if stream == endpoint:
            owner, own = "id", {"site"}
        elif stream.startswith(f"{endpoint}__") and not stream.endswith("__rejects"):
            owner, own = f"{endpoint}_id", {"site", f"{endpoint}_id"}
        else:
            continue
        for row in rows:
            if row["site"] == site and row[owner] == key:
                kept = {column: cell for column, cell in row.items() if column not in own and not column.endswith("position")}
                versions.setdefault(row["_leat_seq"], []).append(kept)
    return versions


@pytest.mark.parametrize("site", ["items", "plans"])
def test_every_value_of_every_record_is_found_in_some_table(records, lake, site):
    checked = 0
    for endpoint, by_id in records[site].versions.items():
        for key, known in by_id.items():
            versions = _rows_of(lake, endpoint, site, key)
            for record in known:
                losses = [missing(record, rows) for rows in versions.values()]
                assert any(not loss for loss in losses), f"{site} {endpoint} {key}: {min(losses, key=len, default='no row')}"
                checked += len(leaves(record))
    assert checked > 400


def test_nothing_was_refused_and_no_version_stands_twice(records, lake):
    for name, rows in lake.tables.items():
        assert not (name.endswith("__rejects") and rows), f"{name}: {rows[:3]}"
    for site, each in records.items():
        for endpoint, by_id in each.versions.items():
            for key, known in by_id.items():
                rows = lake.tables[f"billing.{endpoint}__history"]
                parents = [row for row in rows if (row["site"], row["id"]) == (site, key)]
                assert len(parents) == len(known), f"{site} {endpoint} {key}"


def test_landing_holds_every_page_as_it_was_sent(records, lake):
    """Every version of every record stands in some landed page, byte for byte the same JSON."""
    landed = set()
    for file in (lake.project / "lake" / "landing").rglob("*.json.gz"):
        for entry in json.loads(gzip.decompress(file.read_bytes()))["list"]:
            landed.update(json.dumps(record, sort_keys=True) for record in entry.values())
    for each in records.values():
        for by_id in each.versions.values():
            for record in (record for known in by_id.values() for record in known):
                assert json.dumps(record, sort_keys=True) in landed


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

"""HTTP APIs as sources: who is asked for what, how often, and what becomes of it."""

import base64
import datetime
import gzip
import json
import shutil
import signal
import threading
import time

import pytest
from support.http_api import Answer, Api, HttpProject, Request, closed_port

CANARY = "canary-8f1d/+ c2"


@pytest.fixture
def api():
    server = Api()
    yield server
    server.close()


@pytest.fixture
def project(tmp_path, api):
    return HttpProject(tmp_path, api)


def pages(rows: list, size: int = 2, *, token: str = "offset", key: str = "rows"):
    """Answers `rows` in pages of `size`, the next one by a token."""

    def answer(request: Request) -> Answer:
        begin = int(request.query.get(token) or 0)
        body = {key: rows[begin : begin + size]}
        if begin + size < len(rows):
            body["next"] = str(begin + size)
        return Answer(body)

    return answer


def numbered(count: int, **other) -> list[dict]:
    return [{"id": n, "name": f"n{n}"} | other for n in range(count)]


def between(rows: list[dict], field: str, request: Request) -> list[dict]:
    """Rows of the span that a request asks for."""
    return [row for row in rows if int(request.query["since"]) <= row[field] <= int(request.query["until"])]


TOKEN = "paginate: {type: token, read: $.next, param: offset}\n"
SPAN = 'params: {since: "{since}", until: "{until}"}\n'


def epoch(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp())


# --- from the answer to the tables ---------------------------------------------------------------------------------------


def test_records_of_all_pages_become_rows_and_answers_are_kept_as_received(project, api):
    rows = [{"id": n, "amount": n * 100, "items": [{"sku": f"s{n}{i}"} for i in range(n)]} for n in range(5)]
    api.answer = pages(rows, key="list")
    project.source(TOKEN + "key: id\nstreams: {invoices: {path: /v2/invoices, records: $.list}}")
    done = project.run().expect(0)
    assert "read 5 = written 5" in done.stdout
    assert project.versions("api.invoices", "id", "amount") == [("u", n, n * 100) for n in range(5)]
    items = sorted(project.rows("api.invoices__items__history"), key=lambda row: (row["invoices_id"], row["position"]))
    assert [(row["invoices_id"], row["position"], row["sku"]) for row in items] == [
        (n, i + 1, f"s{n}{i}") for n in range(5) for i in range(n)
    ]

    read, *kept = project.landed()
    assert (read["stream"], read["run"], read["commit"], read["in_full"]) == ("api.invoices", 1, 1, [[]])
    assert [page["content"] for page in kept] == [api.answer(request).bytes() for request in api.requests]
    assert [page["url"] for page in kept] == [f"{api.url}/v2/invoices{more}" for more in ("", "?offset=2", "?offset=4")]
    assert [page["records"] for page in kept] == [2, 2, 1]

    before = api.take() and project.landed()
    assert "nothing changed" in project.run().expect(0).stdout
    assert len(project.landed()) == 2 * len(before)


def test_gzip_of_the_server_is_kept_as_it_came(project, api):
    body = json.dumps(numbered(50))
    api.answer = lambda request: Answer(body, headers={"Content-Encoding": "gzip"})
    project.source("key: id\nstreams: {a: {}}")
    project.run().expect(0)
    assert len(project.versions("api.a", "id")) == 50
    (file,) = project.folder.glob("lake/landing/api/a/_/*/000001.json.gz")
    # Python's packer writes its own operating system byte and best compression.
    assert file.read_bytes()[8] == 2 and project.landed()[1]["content"] == body.encode()
    assert "gzip" in api.requests[0].headers["accept-encoding"]


def test_csv_and_lines_of_json(project, api):
    bodies = {"/rates": "Date,USD,\n2024-01-02,1.25,\n2024-01-01,N/A,\n", "/events": '{"id": 1}\n{"id": 2}\n'}
    api.answer = lambda request: Answer(bodies[request.path], headers={"Content-Type": "text/plain"})
    project.source("streams:\n  rates: {format: csv, key: Date, csv: {nulls: [N/A]}}\n  events: {format: jsonl, key: id}\n")
    project.run().expect(0)
    assert [(row["date"].isoformat(), row["usd"]) for row in sorted(project.rows("api.rates__history"), key=lambda r: r["date"])][
        0
    ] == ("2024-01-01", None)
    assert project.versions("api.events", "id") == [("u", 1), ("u", 2)]


def test_landing_none_keeps_nothing(project, api):
    api.answer = pages(numbered(3))
    project.source(TOKEN + "key: id\nlanding: none\nstreams: {a: {records: $.rows}}")
    project.run().expect(0)
    assert len(project.versions("api.a", "id")) == 3
    assert not list((project.folder / "lake" / "landing").rglob("*.*"))
    assert not list((project.folder / "lake" / "landing").rglob("0*")), "not even an empty folder"


# --- credentials ---------------------------------------------------------------------------------------------------------

BASIC = "Basic " + base64.b64encode(f"{CANARY}:".encode()).decode()
AUTHS = {
    "basic": ('{type: basic, user: "${KEY}"}', lambda r: r.headers.get("authorization") == BASIC),
    "bearer": ('{type: bearer, token: "${KEY}"}', lambda r: r.headers.get("authorization") == f"Bearer {CANARY}"),
    "header": ('{type: header, name: X-Api-Key, value: "${KEY}"}', lambda r: r.headers.get("x-api-key") == CANARY),
    "query": ('{type: query, name: key, value: "${KEY}"}', lambda r: r.query.get("key") == CANARY),
}


def holds_canary(project: HttpProject, *texts: str) -> list[str]:
    """Where a credential stands that should stand nowhere."""
    import urllib.parse

    forms = [CANARY, urllib.parse.quote(CANARY), urllib.parse.quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode()]
    found = [text for text in texts if any(form in text for form in forms)]
    for file in project.folder.rglob("*"):
        if file.is_file() and any(form.encode() in file.read_bytes() for form in forms):
            found.append(str(file))
    return found


@pytest.mark.parametrize("kind", AUTHS)
def test_credentials_of_every_kind(project, api, kind):
    auth, is_right = AUTHS[kind]
    api.answer = lambda request: Answer(numbered(2)) if is_right(request) else Answer({"message": "no"}, status=401)
    project.source(f"auth: {auth}\nkey: id\nstreams: {{a: {{}}}}")
    done = project.run(env={"KEY": CANARY}).expect(0)
    assert len(project.versions("api.a", "id")) == 2
    assert holds_canary(project, done.stdout, done.stderr) == []

    api.take()
    wrong = project.run(env={"KEY": "wrong"}).expect(1)
    assert len(api.take()) == 1, "a refusal is final"
    assert f"{api.url}/a answered 401" in wrong.stderr and "comes from variable KEY" in wrong.stderr

    unset = project.run()
    assert unset.code != 0 and "the environment variable KEY is not set" in unset.stderr
    assert api.take() == []


def test_doctor_names_secrets_that_are_missing(project, api):
    project.source(
        'partitions: {site: {eu: {api_key: "${EU}"}, us: {api_key: "${US}"}}}\n'
        'auth: {type: basic, user: "{api_key}"}\nkey: id\nstreams: {a: {}}'
    )
    told = project.command("doctor", env={"EU": "k"})
    assert told.code != 0 and "source api" in told.stdout and "the environment variable US is not set" in told.stdout
    assert "variable EU" not in told.stdout and api.requests == []
    assert "every secret" in project.command("doctor", env={"EU": "k", "US": "k"}).stdout


def test_oauth2_fetches_a_token_once_and_a_new_one_when_it_is_refused(project, api):
    granted = []

    def answer(request: Request) -> Answer:
        if request.path == "/token":
            if CANARY not in request.basic() and CANARY.encode() not in request.body:
                import urllib.parse

                assert urllib.parse.quote(CANARY, safe="") in request.basic() or b"client_secret" in request.body
            granted.append(f"t{len(granted)}")
            return Answer({"access_token": granted[-1], "token_type": "Bearer", "expires_in": 3600})
        used = request.headers.get("authorization", "").removeprefix("Bearer ")
        expired = request.query.get("offset") == "4" and used == "t0"
        return Answer({}, status=401) if expired or used not in granted else pages(numbered(6))(request)

    api.answer = answer
    project.source(
        f'auth: {{type: oauth2, token_url: "{api.url}/token", client_id: me, client_secret: "${{KEY}}", scope: read}}\n'
        + TOKEN
        + "key: id\nstreams: {a: {records: $.rows}}"
    )
    done = project.run(env={"KEY": CANARY}).expect(0)
    assert granted == ["t0", "t1"]
    assert len(project.versions("api.a", "id")) == 6
    assert holds_canary(project, done.stdout, done.stderr) == []


@pytest.mark.parametrize("kind", ["basic", "bearer", "oauth2"])
def test_server_that_echoes_what_it_was_sent_gives_nothing_away(project, api, kind):
    def answer(request: Request) -> Answer:
        sent = request.headers.get("authorization", "")
        if request.path == "/token":
            return Answer({"access_token": "tok-9f2", "expires_in": 60})
        if request.path == "/c":
            return Answer({"not_here": sent}, status=404)
        return Answer({"message": f"cannot read {sent}"}, status=200 if request.path == "/b" else 400)

    api.answer = answer
    auth = AUTHS[kind][0] if kind in AUTHS else f'{{type: oauth2, token_url: "{api.url}/token", client_id: me, client_secret: "${{KEY}}"}}'
    project.source(
        f"auth: {auth}\nkey: id\nstreams:\n  a: {{}}\n  b: {{records: $.rows}}\n  c: {{skip_when: {{status: 404, text: not_here}}}}\n"
    )
    done = project.run(env={"KEY": "s3cret-canary"}).expect(1)
    assert done.stderr.count("****") >= 3
    for shown in ("s3cret-canary", "tok-9f2", base64.b64encode(b"s3cret-canary:").decode()):
        assert shown not in done.stdout + done.stderr


def test_each_partition_has_credentials_of_its_own(project, api):
    keys = {"eu": "k-eu", "us": "k-us"}

    def answer(request: Request) -> Answer:
        site = request.path.split("/")[1]
        right = request.basic() == keys[site] + ":"
        return Answer([{"id": 1, "of": site}]) if right else Answer({}, status=403)

    api.answer = answer
    project.source(
        'partitions: {site: {eu: {api_key: "${EU}"}, us: {api_key: "${US}"}}}\n'
        'auth: {type: basic, user: "{api_key}"}\nkey: id\nstreams: {a: {path: /a}}',
        base_url=api.url + "/{site}",
    )
    project.run(env={"EU": "k-eu", "US": "k-us"}).expect(0)
    assert project.versions("api.a", "site", "id", "of") == [("u", "eu", 1, "eu"), ("u", "us", 1, "us")]
    assert sorted(path.name for path in (project.folder / "lake/landing/api/a").iterdir()) == ["eu", "us"]


# --- pages ---------------------------------------------------------------------------------------------------------------


def by_number(rows: list, name: str, size_name: str, first: int, step_by_rows: bool):
    def answer(request: Request) -> Answer:
        size = min(int(request.query[size_name]), 2)  # this server gives fewer rows than it is asked for
        begin = (int(request.query[name]) - first) * (1 if step_by_rows else size)
        return Answer({"rows": rows[begin : begin + size]})

    return answer


def by_link(rows: list):
    def answer(request: Request) -> Answer:
        begin = int(request.query.get("from", 0))
        more = begin + 2 < len(rows)
        link = {"Link": f'<?from={begin + 2}>; rel="next", <?from=0>; rel="first"'} if more else {}
        return Answer({"rows": rows[begin : begin + 2], "links": {"next": f"/a?from={begin + 2}" if more else None}}, headers=link)

    return answer


def by_cursor(rows: list):
    def answer(request: Request) -> Answer:
        assert request.method == "POST" and request.headers["content-type"] == "application/json"
        begin = request.json().get("page", {}).get("after", 0)
        return Answer({"rows": rows[begin : begin + 2], "cursor": begin + 2 if begin + 2 < len(rows) else None})

    return answer


PAGINGS = {
    "none": ("", lambda rows: lambda request: Answer({"rows": rows}), 1),
    "token": ("paginate: {type: token, read: $.next, param: offset}", pages, 3),
    "page": ("paginate: {type: page, param: p, size_param: n, size: 9}", lambda rows: by_number(rows, "p", "n", 1, False), 4),
    "offset": ("paginate: {type: offset, param: o, size_param: n, size: 9}", lambda rows: by_number(rows, "o", "n", 0, True), 4),
    "link": ("paginate: {type: link}", by_link, 3),
    "link in the body": ("paginate: {type: link, read: $.links.next}", by_link, 3),
    "cursor_in_body": (
        "body: {limit: 2}\npaginate: {type: cursor_in_body, read: $.cursor, field: page.after}",
        by_cursor,
        3,
    ),
}


@pytest.mark.parametrize("kind", PAGINGS)
def test_pages_of_every_kind(project, api, kind):
    rules, serve, requests = PAGINGS[kind]
    api.answer = serve(numbered(5))
    project.source(f"{rules}\nkey: id\nstreams: {{a: {{records: $.rows}}}}")
    project.run().expect(0)
    assert project.versions("api.a", "id") == [("u", n) for n in range(5)]
    assert len(api.requests) == requests


BAD_PAGES = {
    "LEAT0430": (lambda request: Answer({"rows": [{"id": 1}], "next": "same"}), "leads to the next page 'same' a second time"),
    "LEAT0433": (lambda request: Answer("<html>Log in</html>", headers={"Content-Type": "text/html"}), "<html>Log in</html>"),
    "LEAT0434": (lambda request: Answer({"error": "try later"}), "expected a list at $.rows"),
}


@pytest.mark.parametrize("code", BAD_PAGES)
def test_page_that_is_none_fails_the_stream_and_changes_nothing(project, api, code):
    good = pages(numbered(3))
    api.answer = good
    project.source(TOKEN + "key: id\nstreams: {a: {records: $.rows}, b: {records: $.rows}}")
    project.run().expect(0)
    bad, message = BAD_PAGES[code]
    api.answer = lambda request: bad(request) if request.path == "/a" else good(request)
    done = project.run().expect(1)
    assert f"error[{code}]" in done.stderr and message in done.stderr
    assert project.versions("api.a", "id") == [("u", n) for n in range(3)]
    api.answer = good
    project.run().expect(0)


def test_link_to_another_origin_is_not_followed(project, api):
    other = Api(lambda request: Answer([]))
    try:
        api.answer = lambda request: Answer(numbered(1), headers={"Link": f"<{other.url}/a?p=2>; rel=next"})
        project.source('auth: {type: bearer, token: "${KEY}"}\npaginate: {type: link}\nkey: id\nstreams: {a: {}}')
        done = project.run(env={"KEY": CANARY}).expect(1)
        assert "error[LEAT0432]" in done.stderr and f"names {other.url}/a as the next page" in done.stderr
        assert other.requests == []
    finally:
        other.close()


# --- how far it was read -------------------------------------------------------------------------------------------------


def test_next_read_asks_from_the_last_moment_on_with_an_overlap(project, api):
    api.answer = lambda request: Answer([{"id": 1, "at": 1700000000}])
    project.source(SPAN + "position: {from: at, unit: s, overlap: 10m, start: 2023-01-01, window: 7300d}\nkey: id\nstreams: {a: {}}")
    before = time.time()
    project.run().expect(0)
    project.run().expect(0)
    first, second = api.requests
    assert int(first.query["since"]) == epoch("2023-01-01")
    assert before - 1 <= int(first.query["until"]) <= time.time()
    assert int(second.query["since"]) == int(first.query["until"]) - 600
    assert project.versions("api.a", "id") == [("u", 1)], "a row that comes again is a repeat"


def test_long_span_is_read_in_parts_and_goes_on_where_it_broke_off(project, api):
    now = int(time.time())
    day = 86400
    rows = [{"id": n, "at": now - n * 10 * day} for n in range(1, 37)]  # one each ten days of the last year
    start = datetime.datetime.fromtimestamp(now - 365 * day, datetime.timezone.utc).strftime("%Y-%m-%d")
    failing = {"from": 5}

    def answer(request: Request) -> Answer:
        if len(api.requests) == failing["from"]:
            return Answer({"message": "broken"}, status=400)
        return Answer(between(rows, "at", request))

    api.answer = answer
    project.source(SPAN + f"position: {{from: at, unit: s, overlap: 0s, start: {start}, window: 60d}}\nkey: id\nstreams: {{a: {{}}}}")
    project.run().expect(1)
    asked = api.take()
    spans = [(int(r.query["since"]), int(r.query["until"])) for r in asked]
    assert len(spans) == 5 and all(until - since == 60 * day for since, until in spans)
    assert [s for s, _ in spans[1:]] == [u for _, u in spans[:-1]]
    read = {row["id"] for row in rows if row["at"] <= spans[3][1]}
    assert {n for _, n in project.versions("api.a", "id")} == read, "four parts are committed"
    assert len({row["_leat_seq"] for row in project.rows("api.a__history")}) == 4

    failing["from"] = 0
    project.run().expect(0)
    again = api.take()
    assert int(again[0].query["since"]) == spans[4][0]
    assert {n for _, n in project.versions("api.a", "id")} == set(range(1, 37))


def test_parts_without_records_grow(project, api):
    api.answer = lambda request: Answer([])
    project.source(SPAN + "position: {from: at, unit: s, overlap: 0s}\nkey: id\nstreams: {a: {}}")
    project.run().expect(0)
    asked = [int(r.query["until"]) - int(r.query["since"]) for r in api.requests]
    assert len(asked) < 12 and asked[0] == 30 * 86400 and asked[1] == 2 * asked[0]
    assert sum(asked) == int(api.requests[-1].query["until"]), "from 1970 on nothing is left out"


def test_without_an_upper_bound_the_newest_record_counts(project, api):
    rows = [{"id": 1, "at": "2024-03-01T10:00:00Z"}, {"id": 2, "at": "2024-03-01T12:00:00+01:00"}]
    api.answer = lambda request: Answer(rows)
    project.source('params: {since: "{since}"}\nposition: {from: at, overlap: 1h, start: 2024-01-01}\nkey: id\nstreams: {a: {}}')
    project.run().expect(0)
    project.run().expect(0)
    assert [r.query["since"] for r in api.requests] == ["2024-01-01T00:00:00Z", "2024-03-01T10:00:00Z"]


def test_record_of_the_future_does_not_move_the_position_beyond_the_run(project, api):
    api.answer = lambda request: Answer([{"id": 1, "at": "2099-01-01T00:00:00Z"}])
    project.source('params: {since: "{since}"}\nposition: {from: at, overlap: 0s, start: 2024-01-01}\nkey: id\nstreams: {a: {}}')
    project.run().expect(0)
    ended = datetime.datetime.now(datetime.timezone.utc)
    time.sleep(1.1)
    project.run().expect(0)
    second = datetime.datetime.fromisoformat(api.requests[1].query["since"])
    assert second <= ended, "what comes between the runs is asked for"
    assert second > datetime.datetime.fromisoformat("2024-01-01T00:00:00Z")


def test_changed_request_is_read_from_the_start(project, api):
    api.answer = lambda request: Answer([{"id": 1, "at": 1700000000}])
    rules = "position: {from: at, unit: s, start: 2023-01-01, window: 7300d}\nkey: id\nstreams: {a: {path: %s}}"
    project.source(SPAN + rules % "/a")
    project.run().expect(0)
    project.source(SPAN + rules % "/b")
    project.run().expect(0)
    project.source(SPAN + "rate_limit: {requests: 100, per: 1s}\n" + rules % "/b")
    project.run().expect(0)
    since = [int(r.query["since"]) for r in api.requests]
    assert since[:2] == [epoch("2023-01-01")] * 2 and since[2] > since[1]
    project.run("--full-refresh").expect(0)
    assert int(api.requests[-1].query["since"]) == epoch("2023-01-01")


def test_full_read_deletes_what_is_gone_unless_it_was_not_whole(project, api):
    rows = numbered(5)
    api.answer = pages(rows)
    project.source(TOKEN + "key: id\nstreams: {a: {records: $.rows}}")
    project.run().expect(0)
    del rows[1]

    broken = lambda request: Answer("{", status=200) if request.query.get("offset") else pages(rows)(request)  # noqa: E731
    api.answer = broken
    project.run().expect(1)
    assert [op for op, _ in project.versions("api.a", "id")] == ["u"] * 5

    api.answer = pages(rows)
    done = project.run().expect(0)
    assert "deleted 1" in done.stdout
    assert project.versions("api.a", "id")[5:] == [("d", 1)]


# --- manners -------------------------------------------------------------------------------------------------------------


def test_rate_limit_is_shared_by_the_streams_of_a_partition(project, api):
    api.answer = lambda request: time.sleep(0.02) or pages(numbered(6))(request)
    project.source(
        TOKEN
        + "rate_limit: {requests: 6, per: 500ms, concurrent: 2}\nkey: id\nrecords: $.rows\nstreams: {a: {}, b: {}, c: {}, d: {}}"
    )
    project.run().expect(0)
    times = sorted(request.time_s for request in api.requests)
    assert len(times) == 12
    assert times[6] - times[0] >= 0.45, "the seventh request waits"
    assert api.most_at_once == 2


def test_passing_errors_are_asked_again_and_retry_after_is_obeyed(project, api):
    answers = [Answer({}, status=429, headers={"Retry-After": "1"})]
    api.answer = lambda request: answers.pop() if answers else Answer(numbered(1))
    project.source("key: id\nstreams: {a: {}}")
    project.run().expect(0)
    first, second = api.requests
    assert second.time_s - first.time_s >= 0.95


def test_server_that_stays_broken_fails_the_stream_with_what_it_said(project, api):
    api.answer = lambda request: Answer({"message": "out of order"}, status=500)
    project.source("key: id\nstreams: {a: {}}")
    done = project.run()
    assert done.code != 0 and len(api.requests) == 2
    assert "answered 500" in done.stderr and "out of order" in done.stderr and "asked 2 times" in done.stderr


def test_nobody_there_is_the_sources_fault(project, api):
    project.source("key: id\nstreams: {a: {}, b: {}}", base_url=f"http://127.0.0.1:{closed_port()}")
    done = project.run()
    assert done.code != 0
    assert done.stderr.count("error[LEAT0320]") == 1


def test_stream_that_was_done_before_the_api_went_away_stays_done(project, api):
    def answer(request: Request) -> Answer:
        if request.path == "/plain":
            return Answer([{"id": 1}])
        seen = len([r for r in api.requests if r.path == "/long"])
        return Answer([{"id": seen, "at": int(request.query["since"])}]) if seen == 1 else Answer({}, status=500)

    api.answer = answer
    start = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 50 * 86400))
    project.source(
        "key: id\nstreams:\n  plain: {}\n"
        f"  long: {{params: {{since: '{{since}}', until: '{{until}}'}}, position: {{from: at, unit: s, start: {start}, window: 30d}}}}\n"
    )
    project.write("models/mart/total.sql", "SELECT count(*) AS n FROM api.plain")
    done = project.run().expect(1)
    assert project.query("SELECT n FROM mart.total") == ["1"], done.stderr
    assert "table_failed table=api.plain" not in done.stderr and "error[LEAT0329]" in done.stderr


def test_interrupt_ends_a_wait_at_once(project, api):
    asked = threading.Event()
    api.answer = lambda request: asked.set() or Answer({}, status=429, headers={"Retry-After": "30"})
    project.source("key: id\nstreams: {a: {}}")
    project.write("sources/api.yaml", (project.folder / "sources/api.yaml").read_text().replace("wait_max: 1s", "wait_max: 1m"))
    process = project.leat.start("run", cwd=project.folder)
    try:
        assert asked.wait(20)
        time.sleep(0.2)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(5)
        assert time.monotonic() - begin < 1
    finally:
        process.kill()
        process.communicate()


# --- partitions, skipped streams, sub-resources ----------------------------------------------------------------------------


def test_partition_that_fails_fails_the_stream_but_not_the_others_rows(project, api):
    broken = {"us"}

    def answer(request: Request) -> Answer:
        site = request.path.split("/")[1]
        if site in broken:
            return Answer({"message": "no such site"}, status=404)
        return Answer([{"id": 1, "at": int(time.time()) - 5}])

    api.answer = answer
    project.source(
        SPAN + "partitions: {site: [eu, us]}\nposition: {from: at, unit: s, window: 36500d}\nkey: id\nstreams: {a: {path: '/{site}/a'}}"
    )
    project.write("models/mart/total.sql", "SELECT count(*) AS n FROM api.a")
    done = project.run().expect(1)
    assert "no such site" in done.stderr and "site us" in done.stderr
    assert project.versions("api.a", "site", "id") == [("u", "eu", 1)]
    eu = next(r for r in api.take() if r.path == "/eu/a")

    broken.clear()
    project.run().expect(0)
    since = {r.path: int(r.query["since"]) for r in api.take()}
    assert since["/us/a"] == 0 and since["/eu/a"] == int(eu.query["until"]) - 300
    assert project.query("SELECT n FROM mart.total") == ["2"]


def test_plan_before_the_first_read_leaves_what_reads_unknown_columns_unchecked(project, api):
    project.source("key: id\nstreams: {rates: {path: /rates}}\n")
    project.write(
        "leat.yaml",
        "name: small\nconnections: {w: {type: duckdb, path: w.duckdb}}\n"
        "warehouse: {connection: w, schema: public, load: ['api.*']}\n",
    )
    project.write("models/mart/wide.sql", "SELECT COLUMNS('^[a-z]{3}$') FROM api.rates")
    project.write("models/mart/long.sql", "SELECT * FROM mart.wide UNPIVOT (rate FOR currency IN (COLUMNS(*)))")
    for command in (["plan"], ["plan", "api.rates"], ["run", "--dry-run"]):
        done = project.command(*command).expect(0)
        assert "+ api.rates" in done.stdout and not done.stderr
        assert "CREATE TABLE" not in done.stdout, "nobody knows its columns"
    assert not api.take()
    api.answer = lambda request: Answer([{"id": 1, "usd": 1.5}])
    project.run().expect(0)
    project.command("plan", "--exit-code").expect(0)


def test_stream_that_the_api_does_not_have_is_skipped_with_a_warning(project, api):
    def answer(request: Request) -> Answer:
        if request.path == "/us/plans":
            return Answer({"message": "Operation is NOT ENABLED for this site"}, status=400)
        return Answer([{"id": 1}])

    api.answer = answer
    project.source(
        "partitions: {site: [eu, us]}\nkey: id\nstreams:\n"
        "  plans: {path: '/{site}/plans', skip_when: {status: 400, text: not enabled}}\n"
        "  items: {path: '/{site}/items', skip_when: {status: 400, text: not enabled}}\n"
    )
    done = project.run().expect(0)
    assert "warning[LEAT0435]" in done.stderr and "api.plans of us is skipped" in done.stderr
    assert project.versions("api.plans", "site", "id") == [("u", "eu", 1)]
    assert len(project.versions("api.items", "id")) == 2
    api.answer = lambda request: Answer({"message": "wrong parameter"}, status=400)
    assert "wrong parameter" in project.run().expect(1).stderr


def test_skipped_partition_of_a_stream_without_a_key_keeps_its_rows(project, api):
    missing = {"new"}

    def answer(request: Request) -> Answer:
        site = request.path.split("/")[1]
        return Answer({"message": "not enabled"}, status=400) if site in missing else Answer([{"name": site, "n": len(api.requests)}])

    api.answer = answer
    project.source(
        "partitions: {site: [eu, us, new]}\nstreams: {plans: {path: '/{site}/plans', skip_when: {status: 400, text: not enabled}}}\n"
    )
    project.run().expect(0)
    before = project.versions("api.plans", "site", "n")
    assert sorted(site for _, site, _ in before) == ["eu", "us"], "what was never there takes nothing away"
    missing.add("us")
    assert "api.plans of us is skipped" in project.run().expect(0).stderr
    assert project.versions("api.plans", "site", "n") == before
    missing.update({"eu"})
    project.run().expect(0)
    assert project.versions("api.plans", "site", "n") == before
    missing.clear()
    project.run().expect(0)
    assert sorted({site for _, site, _ in project.versions("api.plans", "site", "n")}) == ["eu", "new", "us"]


def test_sub_resources_are_asked_for_once_for_each_new_or_changed_row(project, api):
    invoices = [{"id": "a/1", "v": 1}, {"id": "b", "v": 1}, {"id": "c", "v": 1}]
    notes = {"a/1": ["x", "y"], "b": ["z"], "c": []}

    def answer(request: Request) -> Answer:
        if request.path == "/invoices":
            return Answer(invoices)
        name = request.path.split("/")[2].replace("%2F", "/")
        return Answer([{"no": n, "text": text} for n, text in enumerate(notes[name])])

    api.answer = answer
    project.source(
        "key: id\nstreams:\n  invoices: {}\n  notes:\n    path: '/invoices/{invoice}/notes'\n    key: no\n"
        "    for_each: {stream: invoices, values: {invoice: id}}\n"
    )
    project.run().expect(0)
    assert sorted(r.path for r in api.take()) == ["/invoices", "/invoices/a%2F1/notes", "/invoices/b/notes", "/invoices/c/notes"]
    assert project.versions("api.notes", "invoice", "no", "text") == [("u", "a/1", 0, "x"), ("u", "a/1", 1, "y"), ("u", "b", 0, "z")]

    project.run().expect(0)
    assert [r.path for r in api.take()] == ["/invoices"], "nothing is new"

    invoices[0]["v"] = 2
    notes["a/1"] = ["x"]
    done = project.run().expect(0)
    assert [r.path for r in api.take()] == ["/invoices", "/invoices/a%2F1/notes"]
    assert project.versions("api.notes", "invoice", "no", "text")[3:] == [("d", "a/1", 1, "y")], done

    project.run("--full-refresh").expect(0)
    assert len(api.take()) == 4


def test_sub_resources_that_failed_are_asked_for_again(project, api):
    broken = {"/b/notes"}
    api.answer = lambda r: (
        Answer([{"id": "a"}, {"id": "b"}]) if r.path == "/invoices" else Answer({}, status=400 if r.path in broken else 200) if r.path in broken else Answer([{"no": 1}])
    )
    project.source(
        "key: id\nstreams:\n  invoices: {}\n"
        "  notes: {path: '/{i}/notes', key: no, for_each: {stream: invoices, values: {i: id}}}\n"
    )
    project.run().expect(1)
    broken.clear()
    api.take()
    project.run().expect(0)
    assert sorted(r.path for r in api.take()) == ["/a/notes", "/b/notes", "/invoices"]
    assert project.versions("api.notes", "i", "no") == [("u", "a", 1), ("u", "b", 1)]


def test_sub_resources_of_rows_that_are_gone_go_with_them(project, api):
    invoices = [{"id": "a", "ref": "x"}, {"id": "b", "ref": None}, {"id": "c", "ref": ".."}, {"id": "d", "ref": "y"}]
    api.answer = lambda r: Answer(invoices if r.path == "/invoices" else [{"no": 1}])
    project.source(
        "key: id\nstreams:\n  invoices: {}\n"
        "  notes: {path: '/{i}/notes', key: no, for_each: {stream: invoices, values: {i: ref}}}\n"
    )
    done = project.run().expect(0)
    assert sorted(r.path for r in api.take()) == ["/invoices", "/x/notes", "/y/notes"], "NULL and .. are no part of a path"
    assert "warning[LEAT0437]" in done.stderr and "{i} would be '..'" in done.stderr
    del invoices[0]
    project.run().expect(0)
    assert project.versions("api.notes", "i", "no") == [("u", "x", 1), ("u", "y", 1), ("d", "x", 1)]
    before = project.versions("api.notes", "i", "no", "_leat_seq")
    project.run().expect(0)
    project.run("--from-landing").expect(0)
    assert project.versions("api.notes", "i", "no", "_leat_seq") == before


def test_sub_resources_of_a_stream_that_failed_are_tried_again_with_it(project, api):
    broken = {"/us/invoices"}
    api.answer = lambda r: Answer({}, status=400) if r.path in broken else Answer([{"id": "a"}] if r.path.endswith("invoices") else [{"no": 1}])
    project.source(
        "partitions: {site: [eu, us]}\nkey: id\nstreams:\n  invoices: {path: '/{site}/invoices'}\n"
        "  notes: {path: '/{site}/{i}/notes', key: no, for_each: {stream: invoices, values: {i: id}}}\n"
    )
    done = project.run().expect(1)
    assert "error[LEAT0438]" in done.stderr
    assert project.versions("api.notes", "site", "no") == [("u", "eu", 1)]
    broken.clear()
    project.command("retry").expect(0)
    assert project.versions("api.notes", "site", "no") == [("u", "eu", 1), ("u", "us", 1)]


def test_next_page_that_no_answer_names_is_told_once(project, api):
    api.answer = lambda request: Answer({"rows": numbered(2), "next": None})
    project.source("paginate: {type: token, read: $.nxt, param: offset, size_param: n, size: 2}\nkey: id\nstreams: {a: {records: $.rows}}")
    assert "warning[LEAT0439]" in project.run().expect(0).stderr
    assert "LEAT0439" not in project.run().expect(0).stderr


# --- from landing --------------------------------------------------------------------------------------------------------


def test_tables_are_made_anew_from_landing_without_asking_anybody(project, api):
    rows = {"eu": numbered(4, v=1), "us": numbered(2, v=1)}
    api.answer = lambda request: pages(rows[request.path.split("/")[1]])(request)
    project.source(
        TOKEN
        + 'partitions: {site: {eu: {key: "${KEY}"}, us: {key: "${KEY}"}}}\nauth: {type: basic, user: "{key}"}\n'
        + "key: id\nstreams: {a: {path: '/{site}/a', records: $.rows}}"
    )
    run = lambda *args: project.run(*args, env={"KEY": "k"})  # noqa: E731
    run().expect(0)
    rows["eu"][0]["v"] = 2
    del rows["us"][1]
    run().expect(0)
    rows["eu"][0]["v"] = 1
    rows["us"].append({"id": 1, "name": "n1", "v": 3})
    run().expect(0)
    columns = ("site", "id", "v", "_leat_seq", "_leat_run", "_leat_time")
    before = project.versions("api.a", *columns)
    assert [(op, site, n, v) for op, site, n, v, *_ in before][6:] == [
        ("u", "eu", 0, 2),
        ("d", "us", 1, 1),
        ("u", "eu", 0, 1),
        ("u", "us", 1, 3),
    ]
    api.take()
    api.close()
    project.run("--from-landing").expect(0)
    assert project.versions("api.a", *columns) == before
    assert api.requests == []

    file = next(iter(sorted(project.folder.glob("lake/landing/api/a/eu/*/000002.json.gz"))))
    file.write_bytes(file.read_bytes()[:-4])
    done = project.run("--from-landing").expect(1)
    assert "error[LEAT0427]" in done.stderr and str(file.relative_to(project.folder)) in done.stderr
    assert project.versions("api.a", *columns) == before


def test_read_that_broke_off_does_not_count_in_landing(project, api):
    api.answer = pages(numbered(4))
    project.source(TOKEN + "key: id\nstreams: {a: {records: $.rows}}")
    project.run().expect(0)
    asked = threading.Event()

    def stall(request: Request) -> Answer:
        if request.query.get("offset"):
            asked.set()
            time.sleep(20)
        return Answer({"rows": [{"id": 99, "name": "new"}], "next": "1"})

    api.answer = stall
    process = project.leat.start("run", cwd=project.folder)
    assert asked.wait(20)
    deadline = time.monotonic() + 20
    while len(list(project.folder.glob("lake/landing/api/a/_/*/000001.json.gz"))) < 2:
        assert time.monotonic() < deadline, "the first page of the second read never reached landing"
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert len([line for line in project.landed() if "stream" in line]) == 1
    api.answer = pages(numbered(4))
    project.run().expect(0)
    project.run("--from-landing").expect(0)
    assert project.versions("api.a", "id") == [("u", n) for n in range(4)]


def test_read_whose_commit_was_never_made_does_not_count_in_landing(project, api):
    api.answer = lambda request: Answer([{"id": 1, "of": request.path}])
    project.source("key: id\nstreams: {a: {}, b: {}}")
    project.run("-s", "api.a").expect(0)
    # What a run leaves behind that dies between its last page and its commit.
    (landed,) = project.folder.glob("lake/landing/api/a/_/*")
    lost = landed.with_name(landed.name.replace("1-", "2-"))
    shutil.copytree(landed, lost)
    (lost / "000001.json.gz").write_bytes(gzip.compress(b'[{"id": 9, "of": "/a"}]'))
    index = (lost / "pages.jsonl").read_text().replace('"commit":1', '"commit":2')
    (lost / "pages.jsonl").write_text(index)
    project.run("-s", "api.b").expect(0)
    project.run("--from-landing").expect(0)
    assert project.versions("api.a", "id", "of") == [("u", 1, "/a")]
    assert (lost / "unpublished.jsonl").read_text() == index


def test_rows_read_while_nothing_landed_stop_a_rebuild(project, api):
    api.answer = lambda request: Answer([{"id": 1, "at": int(time.time()) - 5}])
    rules = SPAN + "position: {from: at, unit: s, window: 36500d}\nkey: id\nlanding: %s\nstreams: {a: {}}"
    project.source(rules % "none")
    project.run().expect(0)
    api.answer = lambda request: Answer([{"id": 2, "at": int(time.time()) - 5}])
    project.source(rules % "raw")
    project.run().expect(0)
    before = project.versions("api.a", "id")
    done = project.run("--from-landing").expect(1)
    assert "error[LEAT0436]" in done.stderr and "1 current row of api.a came with no read that was landed" in done.stderr
    assert project.versions("api.a", "id") == before == [("u", 1), ("u", 2)]
    project.run("--full-refresh").expect(0)
    # A read that brings nothing new makes no commit, and its landing does not count.
    api.answer = lambda request: Answer([{"id": n, "at": int(time.time()) - 5, "new": n} for n in (1, 2)])
    project.run("--full-refresh").expect(0)
    project.run("--from-landing").expect(0)
    assert {row for row in project.versions("api.a", "id")} == {("u", 1), ("u", 2)}


def test_nothing_landed_leaves_the_table_alone(project, api):
    api.answer = pages(numbered(2))
    project.source(TOKEN + "key: id\nlanding: none\nstreams: {a: {records: $.rows}}")
    project.run().expect(0)
    done = project.run("--from-landing").expect(1)
    assert "error[LEAT0429]" in done.stderr
    assert len(project.versions("api.a", "id")) == 2


# --- answers that are none -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ("Service temporarily unavailable\n", "LEAT0440", "has none of the columns that were there before"),
        ("", "LEAT0433", "CSV with at least its line of names"),
        ("code;price\nA;1\nB\n", "LEAT0440", "CSV Error on Line: 3"),
        ("code;price;price\nA;1;2\n", "LEAT0440", "names the column 'price' twice"),
    ],
)
def test_csv_that_is_no_table_of_ours_deletes_nothing(project, api, body, code, says):
    api.answer = lambda request: Answer("code;price\nA;1\n#B;2\n", headers={"Content-Type": "text/csv"})
    project.source("key: code\nformat: csv\nstreams: {a: {}}")
    project.run().expect(0)
    assert project.versions("api.a", "code", "price") == [("u", "#B", 2), ("u", "A", 1)]
    api.answer = lambda request: Answer(body, headers={"Content-Type": "text/csv"})
    failed = project.run().expect(1)
    assert f"error[{code}]" in failed.stderr and says in failed.stderr
    assert len(project.versions("api.a", "code")) == 2


def test_entries_without_the_last_step_of_records_delete_nothing(project, api):
    api.answer = lambda request: Answer({"list": [{"item": {"id": 1}}, {"item": {"id": 2}}]})
    project.source('key: id\nrecords: "$.list[*].item"\nstreams: {a: {}}')
    project.run().expect(0)
    api.answer = lambda request: Answer({"list": [{"thing": {"id": 1}}, {"item": {"id": 2}}]})
    failed = project.run().expect(1)
    assert "error[LEAT0446]: api.a: the answers list 2 entries, and only 1 of them have" in failed.stderr
    assert project.versions("api.a", "id") == [("u", 1), ("u", 2)]


def test_stream_without_a_key_is_rebuilt_from_its_last_read(project, api):
    api.answer = lambda request: Answer([{"x": 1}])
    project.source("streams: {a: {}}")
    project.run().expect(0)
    api.answer = lambda request: Answer([{"x": 1}, {"x": 2}])
    project.run().expect(0)
    project.run("--from-landing").expect(0)
    assert project.versions("api.a", "x") == [("u", 1), ("u", 2)]

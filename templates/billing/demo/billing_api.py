"""A billing API for demos and tests: lists of a generated world (billing_world), page by page, over HTTP.

    billing_api.py [--port N] [--customers N] [--months N]      prints its address, then serves until interrupted

    GET  /{site}/api/v2/{endpoint}        a page of a list; basic auth, the site's key as user
    GET  /ecb/eurofxref-hist.zip          exchange rates, as published by now; also .csv
    POST /_control                        {"now": seconds|null, "faults": [...], "put": {...}, "release": true, "reset": true}
    GET  /_control/log                    every request since the reset, as JSON
    GET  /_control/truth/{site}/{endpoint}   all resources as they stand now, deleted ones included

`now` is the API's clock: it shows what was visible by then. null is the clock on the wall.

A fault is switched on by {"do": what, "endpoint": name, "site": name, "request": n, "times": k, ...}: it hits the n-th
matching request from now on (1) and the k - 1 behind it (1; 0: all). `endpoint` and `site` may be left out. `do` is one of

    status        answer `status` with `headers` and `body` instead
    truncate      announce the whole body, send half of it, close
    cut_gzip      a gzip body whose end is missing, announced as complete
    content_type  an HTML page with status 200
    bad_json      half of the page's JSON, announced as complete
    loop          give the same next_offset for ever
    redirect      302 to `location`
    oversize      a page of `bytes` bytes, packed small
    empty         a page without rows that names no next one
    slow          wait `seconds` before the answer
    drop          close the connection without an answer
    hold          wait until released, then answer
    put           first `put` {site, endpoint, body, at, visible_at}, then answer
    move          first set the clock to `now`, then answer
"""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import socket
import threading
import time
import urllib.parse
import zipfile
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import billing_world
from billing_world import ITEM_MODEL, PLAN_MODEL, World


class Endpoint:
    """How a list can be asked: its wrapper key, what its rows are filtered and sorted by, whether it knows deleted rows."""

    def __init__(self, wrapper, sorts, deleted=True, filtered_by="updated_at", catalog=None):
        self.wrapper, self.sorts, self.deleted = wrapper, sorts, deleted
        self.filtered_by, self.catalog = filtered_by, catalog


ENDPOINTS = {
    "subscriptions": Endpoint("subscription", ("created_at", "updated_at")),
    "customers": Endpoint("customer", ("created_at", "updated_at")),
    "invoices": Endpoint("invoice", ("date", "updated_at")),
    "credit_notes": Endpoint("credit_note", ("date",)),
    "transactions": Endpoint("transaction", ("date", "updated_at")),
    "orders": Endpoint("order", ("created_at", "updated_at")),
    "plans": Endpoint("plan", (), deleted=False, catalog=PLAN_MODEL),
    "addons": Endpoint("addon", ("updated_at",), catalog=PLAN_MODEL),
    "item_families": Endpoint("item_family", (), deleted=False, catalog=ITEM_MODEL),
    "items": Endpoint("item", ("updated_at",), deleted=False, catalog=ITEM_MODEL),
    "item_prices": Endpoint("item_price", ("updated_at",), deleted=False, catalog=ITEM_MODEL),
    "attached_items": Endpoint("attached_item", (), deleted=False, catalog=ITEM_MODEL),
    "coupons": Endpoint("coupon", ("created_at",), deleted=False),
    "events": Endpoint("event", ("occurred_at",), deleted=False, filtered_by="occurred_at"),
}
FILTERS = ("after", "before", "on", "between")


class ApiError(Exception):
    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        kind = "operation_failed" if status == 429 else "invalid_request"
        self.status = status
        self.body = {"message": message, "type": kind, "api_error_code": code}
        if param:
            self.body["param"] = param


class Listing:
    """One request for a page: its parameters, checked, and the rows it gets."""

    def __init__(self, world: World, lists: dict[str, Endpoint], site_name: str, endpoint: str, query: dict) -> None:
        if site_name not in world.sites:
            raise ApiError(404, "site_not_found", f"no site {site_name}")
        if endpoint not in lists:
            raise ApiError(404, "resource_not_found", f"no list {endpoint}")
        self.site, self.endpoint, self.kind = world.sites[site_name], endpoint, lists[endpoint]
        if self.kind.catalog not in (None, self.site.catalog):
            raise ApiError(400, "configuration_incompatible", f"This operation is not enabled for this site: {endpoint}")
        self.limit, self.offset, self.sort, self.falling, self.include_deleted = 10, None, None, False, False
        self.bounds: list[tuple[int, int]] = []
        for name, value in query.items():
            self._take(name, value)

    def _take(self, name: str, value: str) -> None:
        base, _, rest = name.partition("[")
        if name == "limit" and value.isdigit() and 1 <= int(value) <= 100:
            self.limit = int(value)
        elif name == "offset":
            self.offset = self._token(value)
        elif name == "include_deleted" and self.kind.deleted and value in ("true", "false"):
            self.include_deleted = value == "true"
        elif base == "sort_by" and rest in ("asc]", "desc]") and value in self.kind.sorts:
            self.sort, self.falling = value, rest == "desc]"
        elif base == self.kind.filtered_by and rest.rstrip("]") in FILTERS:
            self.bounds.append(self._bound(name, rest.rstrip("]"), value))
        else:
            raise ApiError(400, "param_wrong_value", f"{name} : {value} is not accepted by {self.endpoint}", name)

    def _bound(self, name: str, how: str, value: str) -> tuple[int, int]:
        """First and last second of the filter, both included."""
        try:
            numbers = json.loads(value)
            low, high = numbers if how == "between" else (numbers, numbers)
            if not (type(low) is int and type(high) is int):
                raise ValueError
        except (ValueError, TypeError):
            raise ApiError(400, "param_wrong_value", f"{name} : {value} is not a time", name) from None
        return {"after": (low + 1, 1 << 60), "before": (0, low - 1)}.get(how, (low, high))

    def _token(self, text: str) -> tuple[int, str]:
        try:
            place, key = json.loads(text)
            return int(place), key
        except (ValueError, TypeError):
            raise ApiError(400, "param_wrong_value", "offset : invalid", "offset") from None

    def page(self, rows: dict[str, dict]) -> dict:
        """The wrapped rows behind the offset. Pages are cut by place and id, so a row that moves is met twice or never."""
        found = []
        for key, body in rows.items():
            if body.get("deleted") and not self.include_deleted:
                continue
            stamp = body.get(self.kind.filtered_by, 0)
            if all(low <= stamp <= high for low, high in self.bounds):
                found.append((self._place(body), key, body))
        found.sort(key=lambda row: row[:2], reverse=self.falling)
        if self.offset:
            found = [row for row in found if (row[:2] < self.offset if self.falling else row[:2] > self.offset)]
        page, rest = found[: self.limit], found[self.limit :]
        answer = {"list": [{self.kind.wrapper: body} | self._company(body) for _, _, body in page]}
        if rest:
            answer["next_offset"] = json.dumps([str(page[-1][0]), page[-1][1]])
        return answer

    def _company(self, body: dict) -> dict:
        """What stands beside a resource in its list: a subscription comes with its customer."""
        if self.endpoint != "subscriptions" or "customer_id" not in body:
            return {}
        return {"customer": {"id": body["customer_id"], "object": "customer"}}

    def _place(self, body: dict) -> int:
        return int(body.get(self.sort or "created_at", 0))


class Faults:
    """The faults that are switched on; `hit` counts a request and says what happens to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[dict] = []
        self.released = threading.Event()

    def set(self, faults: list[dict]) -> None:
        with self._lock:
            self._faults = [dict(fault, seen=0) for fault in faults]
            self.released.clear()

    def hit(self, site: str, endpoint: str) -> list[dict]:
        hits = []
        with self._lock:
            for fault in self._faults:
                if fault.get("site", site) != site or fault.get("endpoint", endpoint) != endpoint:
                    continue
                fault["seen"] += 1
                first, times = fault.get("request", 1), fault.get("times", 1)
                if fault["seen"] >= first and (times == 0 or fault["seen"] < first + times):
                    hits.append(fault)
        return hits


class BillingApi:
    """The server, on a thread of its own. `log` holds every request; `with` stops it at the end.

    Other `lists` than those of the billing system make it the API of any other world.
    """

    def __init__(
        self, world: World, now: float | None = None, port: int = 0, lists: dict[str, Endpoint] | None = None
    ) -> None:
        self.world, self.fixed_now, self.lists = world, now, lists or ENDPOINTS
        self.log: list[dict] = []
        self.arrived = threading.Condition()
        self.faults = Faults()
        self.rate: tuple[int, float] | None = None  # requests per seconds and site; more get 429
        self.concurrent_max = 0  # requests of one site at the same time
        self._running: dict[str, int] = {}
        self._cache: dict[tuple, dict] = {}
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.api = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> BillingApi:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.faults.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def now(self) -> float:
        return time.time() if self.fixed_now is None else self.fixed_now

    def state(self, site: str, endpoint: str) -> dict[str, dict]:
        """All resources by id as they stand now; computed once for each moment."""
        made = self.world.sites[site]
        wanted = (int(self.now), made.edition)
        moment, rows = self._cache.get((site, endpoint), (None, None))
        if moment != wanted:
            rows = made.state(endpoint, wanted[0])
            self._cache[site, endpoint] = (wanted, rows)
        return rows

    def control(self, orders: dict) -> None:
        if orders.get("reset"):
            self.faults.set([])
            with self.arrived:
                self.log.clear()
        if "now" in orders:
            self.fixed_now = orders["now"]
        if "faults" in orders:
            self.faults.set(orders["faults"])
        if "put" in orders:
            self.put(orders["put"])
        if orders.get("release"):
            self.faults.released.set()

    def put(self, order: dict) -> None:
        site = self.world.sites[order["site"]]
        site.put(order["endpoint"], order["body"], order.get("at"), order.get("visible_at"))

    def wait_for(self, count: int, endpoint: str | None = None, timeout_s: float = 20) -> bool:
        """Whether `count` requests (of the endpoint) arrived in time."""
        with self.arrived:
            return self.arrived.wait_for(lambda: len(self.requests(endpoint)) >= count, timeout_s)

    def requests(self, endpoint: str | None = None, site: str | None = None) -> list[dict]:
        return [r for r in list(self.log) if endpoint in (None, r["endpoint"]) and site in (None, r["site"])]

    def note(self, request: dict) -> None:
        with self.arrived:
            request["number"] = len(self.log) + 1
            self.log.append(request)
            self.arrived.notify_all()

    def enter(self, site: str) -> None:
        with self.arrived:
            self._running[site] = self._running.get(site, 0) + 1
            self.concurrent_max = max(self.concurrent_max, self._running[site])

    def leave(self, site: str) -> None:
        with self.arrived:
            self._running[site] -= 1

    def over_rate(self, site: str) -> bool:
        if self.rate is None:
            return False
        most, seconds = self.rate
        since = time.time() - seconds
        return sum(r["time"] > since and r["status"] != 429 for r in self.requests(site=site)) > most


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    api: BillingApi

    def handle_error(self, request, client_address) -> None:
        """A client that went away is its own business."""


def _zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _packed_spaces(count: int) -> bytes:
    """A page of `count` spaces and no rows, as gzip: a thousandth of its size."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = b" " * (1 << 20)
    parts = [packer.compress(block) for _ in range(-(-count // len(block)))]
    return b"".join([*parts, packer.compress(b'{"list": []}'), packer.flush()])


class _Closed(Exception):
    """The connection was closed on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, posted: bytes | None) -> None:
        self.api = self.server.api
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in url.path.split("/") if part]
        if parts[:1] == ["_control"]:
            self._control(parts[1:], posted)
            return
        is_list = len(parts) == 4 and parts[1:3] == ["api", "v2"]
        self.site, self.endpoint = (parts[0], parts[3]) if is_list else ("", "/".join(parts))
        self.entry = {"time": time.time(), "method": self.command, "path": url.path, "site": self.site,
                      "endpoint": self.endpoint, "query": dict(urllib.parse.parse_qsl(url.query, True)),
                      "headers": sorted(name.lower() for name in self.headers), "status": None}
        self.api.note(self.entry)
        self.api.enter(self.site)
        try:
            self._serve(is_list)
        except _Closed:
            self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.entry["status"] = "client gone"
            self.close_connection = True
        finally:
            self.api.leave(self.site)

    # ---- what may go wrong ----

    def _serve(self, is_list: bool) -> None:
        hits = self.api.faults.hit(self.site, self.endpoint)
        for fault in hits:
            self._before(fault)
        try:
            page = self._page(is_list)
        except ApiError as error:
            self._json(error.status, error.body, {"Retry-After": "1"} if error.status == 429 else {})
            return
        for fault in hits:
            if self._instead(fault, page):
                return
        if isinstance(page, bytes):
            self._send(200, page, "application/zip" if self.endpoint.endswith("zip") else "text/csv")
        else:
            self._json(200, page)

    def _before(self, fault: dict) -> None:
        what = fault["do"]
        if what == "slow":
            time.sleep(fault["seconds"])
        elif what == "hold":
            self.api.faults.released.wait(60)
        elif what == "put":
            self.api.put(fault["put"])
        elif what == "move":
            self.api.fixed_now = fault["now"]
        elif what == "drop":
            self.entry["status"] = "dropped"
            self.connection.shutdown(socket.SHUT_RDWR)
            raise _Closed

    def _instead(self, fault: dict, page) -> bool:
        """Send what the fault wants in place of the page; False if the page itself is to be sent."""
        what = fault["do"]
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        if what == "status":
            text = fault.get("body", {"message": "out of order", "type": "operation_failed"})
            self._json(fault["status"], text, fault.get("headers", {}))
        elif what == "redirect":
            self._send(302, b"", "text/plain", {"Location": fault["location"]})
        elif what == "content_type":
            self._send(200, b"<html><body>We are back soon.</body></html>", "text/html; charset=utf-8")
        elif what == "bad_json":
            self._send(200, body[: len(body) // 2], "application/json")
        elif what == "cut_gzip":
            packed = gzip.compress(body)
            self._send(200, packed[: len(packed) * 2 // 3], "application/json", {"Content-Encoding": "gzip"})
        elif what == "truncate":
            self._head(200, len(body), "application/json")
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            raise _Closed
        elif what == "oversize":
            self._send(200, _packed_spaces(fault["bytes"]), "application/json", {"Content-Encoding": "gzip"})
        elif what == "empty":
            self._json(200, {"list": []})
        elif what == "loop":
            self._json(200, page | {"next_offset": json.dumps(["0", ""])})
        else:
            return False
        return True

    # ---- what should go right ----

    def _page(self, is_list: bool):
        if self.endpoint in ("ecb/eurofxref-hist.zip", "ecb/eurofxref-hist.csv"):
            text = billing_world.rates_csv(self.api.world, int(self.api.now)).encode()
            return _zipped("eurofxref-hist.csv", text) if self.endpoint.endswith("zip") else text
        if not is_list:
            raise ApiError(404, "resource_not_found", f"nothing at {self.path}")
        if self.api.over_rate(self.site):
            raise ApiError(429, "api_request_limit_exceeded", "Sorry, you have made too many requests")
        self._check_key()
        listing = Listing(self.api.world, self.api.lists, self.site, self.endpoint, self.entry["query"])
        return listing.page(self.api.state(self.site, self.endpoint))

    def _check_key(self) -> None:
        site = self.api.world.sites.get(self.site)
        wanted = base64.b64encode(f"{site.key}:".encode()).decode() if site else ""
        if self.headers.get("Authorization") != f"Basic {wanted}":
            raise ApiError(401, "api_authentication_failed", "Sorry, authentication failed. Invalid api key")

    def _control(self, parts: list[str], posted: bytes | None) -> None:
        self.site, self.endpoint, self.entry = "", "_control", {}
        if posted is not None:
            self.api.control(json.loads(posted))
            self._json(200, {"now": self.api.now})
        elif parts == ["log"]:
            self._json(200, self.api.requests())
        elif len(parts) == 3 and parts[0] == "truth":
            self._json(200, list(self.api.state(parts[1], parts[2]).values()))
        else:
            self._json(404, {"message": "POST /_control, GET /_control/log, GET /_control/truth/{site}/{endpoint}"})

    # ---- bytes ----

    def _json(self, status: int, value, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 1000:
            body, headers = gzip.compress(body, 1), {"Content-Encoding": "gzip"} | (headers or {})
        self._send(status, body, "application/json;charset=utf-8", headers)

    def _send(self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None) -> None:
        self._head(status, len(body), content_type, headers)
        self.wfile.write(body)

    def _head(self, status: int, length: int, content_type: str, headers: dict[str, str] | None = None) -> None:
        self.entry["status"] = status
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()


class Canary:
    """A second server, which knows nobody, and keeps the headers that reach it."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def _handler(self):
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append({"path": self.path} | {name.lower(): value for name, value in self.headers.items()})
                body = b'{"message": "who are you?"}'
                self.send_response(401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_) -> None:
                pass

        return Handler

    def __enter__(self) -> Canary:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description="A billing API with generated data, on this machine only.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--customers", type=int, default=24, help="for each of the two sites")
    parser.add_argument("--months", type=int, default=24)
    options = parser.parse_args()
    world = billing_world.generate(months=options.months, customers=options.customers)
    with BillingApi(world, now=world.end, port=options.port) as api:
        print(api.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()

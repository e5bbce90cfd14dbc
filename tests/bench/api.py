"""An API of nested records for the measurements: pages made once, and a server that only hands them out."""

import contextlib
import gzip
import http.server
import pathlib
import threading
from collections.abc import Iterator

PAGE_RECORDS = 100
_DAY_S = 86_400
_FIRST_S = 1_600_000_000

_RECORD = (
    '{{"subscription":{{"id":"sub_{n:08}","customer_id":"cus_{customer:08}","status":"{status}","currency_code":"{currency}",'
    '"billing_period":1,"billing_period_unit":"month","plan_quantity":{quantity},"plan_unit_price":{price},"mrr":{mrr},'
    '"exchange_rate":1.{rate:06},"auto_collection":"on","has_scheduled_changes":false,"deleted":false,"object":"subscription",'
    '"created_at":{created},"started_at":{created},"activated_at":{created},"updated_at":{updated},"resource_version":{version},'
    '"current_term_start":{term},"current_term_end":{term_end},"next_billing_at":{term_end},"due_invoices_count":{due},'
    '"cf_sales_region":"region {region}","cf_contract":"{contract}",'
    '"shipping_address":{{"first_name":"First {n}","last_name":"Last {customer}","company":"Company {customer} Limited",'
    '"line1":"{n} Long Street","line2":"Building {region}","city":"City {region}","country":"GB","zip":"AB{region} 1CD",'
    '"validation_status":"not_validated","object":"shipping_address"}},'
    '"billing_address":{{"first_name":"First {n}","last_name":"Last {customer}","email":"customer{customer}@mail.example",'
    '"company":"Company {customer} Limited","phone":"+44 20 {n:08}","line1":"{customer} Other Road","city":"City {region}",'
    '"country":"GB","zip":"EF{region} 2GH","object":"billing_address"}},'
    '"contract_term":{{"id":"term_{n:08}","status":"active","contract_start":{created},"contract_end":{term_end},'
    '"billing_cycle":12,"total_contract_value":{value},"object":"contract_term"}},'
    '"addons":[{addons}],"coupons":[{coupons}],"item_tiers":[{tiers}],"meta_tags":["tag {region}","{status}"]}}}}'
)
_ADDON = (
    '{{"id":"addon_{k}","quantity":{quantity},"unit_price":{price},"amount":{amount},"trial_end":{created},'
    '"remaining_billing_cycles":{k},"object":"addon"}}'
)
_COUPON = '{{"coupon_id":"coupon_{k}","apply_till":{term_end},"applied_count":{k},"coupon_code":"CODE-{n:08}","object":"coupon"}}'
_TIER = '{{"item_price_id":"price_{k}","starting_unit":{k},"ending_unit":{end},"price":{price},"object":"item_tier"}}'
_STATUSES = ("active", "active", "active", "in_trial", "non_renewing", "cancelled")
_CURRENCIES = ("EUR", "USD", "GBP", "SEK")


def _record(n: int) -> str:
    values = {
        "n": n,
        "customer": n * 7919 % 1_000_003,
        "status": _STATUSES[n % 6],
        "currency": _CURRENCIES[n % 4],
        "quantity": n % 9 + 1,
        "price": n * 37 % 90_000 + 100,
        "mrr": n * 53 % 400_000,
        "rate": n * 101 % 1_000_000,
        "created": _FIRST_S + n * 61 % (700 * _DAY_S),
        "updated": _FIRST_S + 700 * _DAY_S + n * 13 % (60 * _DAY_S),
        "version": (_FIRST_S + n) * 1000 + n % 1000,
        "term": _FIRST_S + 690 * _DAY_S + n % 30 * _DAY_S,
        "term_end": _FIRST_S + 720 * _DAY_S + n % 30 * _DAY_S,
        "due": n % 3,
        "region": n % 90 + 10,
        "contract": "Terms as agreed in writing; renewal by either side. " * 3 + str(n),
        "value": n * 97 % 9_000_000,
        "amount": n * 41 % 80_000,
        "end": n % 50 + 10,
    }
    addons = ",".join(_ADDON.format(k=k, **values) for k in range(n % 4))
    coupons = ",".join(_COUPON.format(k=k, **values) for k in range(n % 3))
    tiers = ",".join(_TIER.format(k=k, **values) for k in range(n % 6))
    return _RECORD.format(addons=addons, coupons=coupons, tiers=tiers, **values)


def children_of(records: int) -> dict[str, int]:
    """Rows that the nested lists of the first `records` records hold."""
    return {
        name: sum(n % divisor for n in range(records)) for name, divisor in (("addons", 4), ("coupons", 3), ("item_tiers", 6))
    }


def write_pages(folder: pathlib.Path, bytes_wanted: int) -> tuple[int, int]:
    """Write gzip files of pages until they hold `bytes_wanted`, unpacked. Returns the records and the bytes."""
    folder.mkdir(parents=True)
    size_bytes = page = 0
    while size_bytes < bytes_wanted:
        records = ",".join(_record(n) for n in range(page * PAGE_RECORDS, (page + 1) * PAGE_RECORDS))
        is_last = size_bytes + len(records) >= bytes_wanted
        text = f'{{"list":[{records}]' + ("}" if is_last else f',"next_offset":"{page + 1}"}}')
        (folder / f"{page:06}.json.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))
        size_bytes += len(text)
        page += 1
    return page * PAGE_RECORDS, size_bytes


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement of its headers
    folder: pathlib.Path

    def do_GET(self) -> None:
        offset = self.path.partition("offset=")[2].partition("&")[0] or "0"
        body = (self.folder / f"{int(offset):06}.json.gz").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serve(folder: pathlib.Path) -> Iterator[str]:
    """Serve the pages of a folder on a free port of this machine. Gives the address."""
    handler = type("Handler", (_Handler,), {"folder": folder})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()

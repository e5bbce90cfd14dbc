"""What the billing template's tables must hold, computed from the generated world with fractions: no SQL, no leat.

An Oracle reads the world as the API shows it, at the same moments as the program under test, and keeps every version it
is shown. `latest` and `monthly` give, for a table, its rows as {key: row} with the columns that were computed. Which
invoices a month has is taken from the world's own timeline, as it was then, whatever was shown of it.
"""

import calendar
import datetime
import fractions
import zoneinfo
from decimal import Decimal

from support.billing import World, billing_api, billing_world, month_start

OVERLAP_S = 15 * 60
_DIGITS = {"JPY": 0}  # behind the point; the other currencies of the world have 2
_UTC = datetime.timezone.utc


def moment(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, _UTC)


def in_eur(amount: int | None, currency: str, rates: dict[str, fractions.Fraction]) -> Decimal | None:
    if amount is None or currency not in rates:
        return None
    cents = round(fractions.Fraction(amount) * 100 / 10 ** _DIGITS.get(currency, 2) / rates[currency])  # half to even
    return Decimal(cents).scaleb(-2)


class Oracle:
    def __init__(self, world: World, zone: str = "UTC") -> None:
        self.world, self.zone = world, zoneinfo.ZoneInfo(zone)
        self.first_read: int | None = None
        self.read_until: int | None = None
        self.versions: dict[str, dict[tuple[str, str], list[dict]]] = {}
        self.rates: dict[datetime.date, dict[str, fractions.Fraction]] = {}

    # ---- what a reader gets to see ----

    def read(self, now: int) -> None:
        since = 0 if self.read_until is None else self.read_until - OVERLAP_S
        self.first_read = self.first_read or now
        for site in self.world.sites.values():
            for endpoint in site.versions:
                self._read_list(site, endpoint, since, now)
        for day, quoted in billing_world.rates(self.world, now):
            found = {name: fractions.Fraction(rate) for name, rate in quoted.items() if rate is not None}
            self.rates[day] = found | {"EUR": fractions.Fraction(1)}
        self.read_until = now

    def _read_list(self, site, endpoint: str, since: int, now: int) -> None:
        stamp = billing_api.ENDPOINTS[endpoint].filtered_by
        known = self.versions.setdefault(endpoint, {})
        for key, body in site.state(endpoint, now).items():
            seen = known.setdefault((site.name, key), [])
            newest = seen[-1].get("resource_version", 0) if seen else -1
            if since <= body[stamp] <= now and body.get("resource_version", 0) > newest:
                seen.append(body)

    # ---- how things are, and were ----

    def _standing(self, endpoint: str, before: int = 1 << 60) -> dict[tuple[str, str], dict]:
        """The newest version stamped before a moment, unless it says deleted."""
        found = {}
        for key, versions in self.versions.get(endpoint, {}).items():
            stamped = [v for v in versions if v["updated_at"] < before]
            if stamped and not stamped[-1].get("deleted"):
                found[key] = stamped[-1]
        return found

    def _subscriptions(self, before: int = 1 << 60) -> dict[tuple[str, str], dict]:
        """Without those that were deleted in any version stamped before the moment."""
        history = self.versions.get("subscriptions", {})
        return {
            key: body
            for key, body in self._standing("subscriptions", before).items()
            if not any(v.get("deleted") and v["updated_at"] < before for v in history[key])
        }

    def _rates_on(self, day: datetime.date) -> tuple[datetime.date, dict[str, fractions.Fraction]]:
        newest = max(d for d in self.rates if d <= day)
        return newest, self.rates[newest]

    def _priced(self, row: dict, currency: str | None, day: datetime.date, amounts: dict[str, int | None]) -> dict:
        """The row with its amounts in EUR, the rate and its day; neither where nothing is quoted."""
        rate_date, rates = self._rates_on(day)
        row |= {f"{name}_eur": in_eur(amount, currency, rates) for name, amount in amounts.items()}
        rate = rates.get(currency)
        row["eur_rate"] = None if rate is None else Decimal(rate.numerator) / Decimal(rate.denominator)
        row["eur_rate_date"] = None if rate is None else rate_date
        return row

    # ---- the tables ----

    def latest(self, table: str, now: int) -> dict[tuple, dict]:
        day = self.day(now)
        if table == "subscriptions":
            return {key: self._subscription(body, day) for key, body in self._subscriptions().items()}
        if table == "subscription_lines":
            return self._lines(self._subscriptions(), day)
        if table == "invoice_lines":
            return self._invoice_lines(day)
        amounts = _AMOUNTS.get(table, ())
        rows = {}
        for key, body in self._standing(table).items():
            if self._is_forgotten(table, key, body):
                continue
            row = {"updated_at": moment(body["updated_at"]), "resource_version": body["resource_version"]}
            if amounts:
                row = self._priced(row, body.get("currency_code"), day, {name: body.get(name) for name in amounts})
            rows[key] = row
        return rows

    def monthly(self, table: str, month: int) -> dict[tuple, dict]:
        """Of the n-th month of the world, from 0."""
        end = self.border(month + 1)
        day = self.day(end)
        if not self._is_known(month):
            return {}
        if table == "subscriptions":
            found = {key: self._subscription(body, day) for key, body in self._subscriptions(end).items()}
        elif table == "subscription_lines":
            found = self._lines(self._subscriptions(end), day)
        elif table == "invoices":
            found = {key: self._invoice(body, day) for key, body in self._invoices(month).items()}
        else:
            found = self._change(month)
        first = self.day(self.border(month))
        return {(first, *key): row for key, row in found.items()}

    def day(self, seconds: int) -> datetime.date:
        return moment(seconds).astimezone(self.zone).date()

    def border(self, month: int) -> int:
        """When the n-th month begins: midnight in the zone, on the day that UTC's calendar has there."""
        first = moment(self.world.start)
        midnight = moment(month_start(first.year, first.month, month)).replace(tzinfo=self.zone)
        return int(midnight.timestamp())

    def _is_known(self, month: int) -> bool:
        """Whether the month after it had not ended when the world was read first."""
        return self.first_read is not None and self.first_read < self.border(month + 2)

    def _invoices(self, month: int) -> dict[tuple[str, str], dict]:
        """Those dated in the month that had not been deleted by its end, whenever they were written; each in the version
        that comes nearest of those shown."""
        start, end = self.border(month), self.border(month + 1)
        found = {}
        for site in self.world.sites.values():
            for key, versions in site.versions["invoices"].items():
                past = [version.body for version in versions if version.body["updated_at"] < end]
                shown = [body for body in self.versions["invoices"].get((site.name, key), []) if not body["deleted"]]
                if start <= versions[0].body["date"] < end and shown and not (past and past[-1]["deleted"]):
                    found[site.name, key] = ([body for body in shown if body["updated_at"] < end] or shown[:1])[-1]
        return found

    def _invoice(self, body: dict, day: datetime.date) -> dict:
        row = {"status": body["status"], "total": body["total"], "amount_due": body["amount_due"]}
        return self._priced(row, body["currency_code"], day, {name: body[name] for name in ("total", "amount_due")})

    def _subscription(self, body: dict, day: datetime.date) -> dict:
        amount = sum(line["amount"] for line in _lines_of(body).values())
        row = {"status": body["status"], "currency_code": body["currency_code"], "amount": amount}
        return self._priced(row, body["currency_code"], day, {"amount": amount})

    def _lines(self, subscriptions: dict[tuple[str, str], dict], day: datetime.date) -> dict[tuple, dict]:
        return {
            (*key, position): self._priced(dict(line), body["currency_code"], day, {"amount": line["amount"]})
            for key, body in subscriptions.items()
            for position, line in _lines_of(body).items()
        }

    def _invoice_lines(self, day: datetime.date) -> dict[tuple, dict]:
        return {
            (*key, position): self._priced(
                {"amount": line["amount"], "entity_id": line["entity_id"]}, body["currency_code"], day, {"amount": line["amount"]}
            )
            for key, body in self._standing("invoices").items()
            for position, line in enumerate(body["line_items"], 1)
        }

    def _is_forgotten(self, table: str, key: tuple[str, str], body: dict) -> bool:
        """Whether an event says that it was deleted; its list does not."""
        kind = {"plans": "plan", "addons": "addon", "coupons": "coupon"}.get(table)
        return any(
            site == key[0]
            and event["event_type"] == f"{kind}_deleted"
            and event["content"][kind]["id"] == key[1]
            and event["occurred_at"] >= body["updated_at"]
            for (site, _), (event, *_) in self.versions.get("events", {}).items()
        )

    def _change(self, month: int) -> dict[tuple, dict]:
        if not self._is_known(month - 1):
            return {}
        before, after = (
            {key[1:]: row for key, row in self.monthly("subscriptions", m).items() if row["status"] in ("active", "non_renewing")}
            for m in (month - 1, month)
        )
        return {
            key: {
                "amount_eur_before": before[key]["amount_eur"] if key in before else None,
                "amount_eur": after[key]["amount_eur"] if key in after else None,
                "change": _change_of(before.get(key), after.get(key)),
            }
            for key in before.keys() | after.keys()
        }


_AMOUNTS = {
    "invoices": ("total", "sub_total", "tax", "amount_paid", "amount_due"),
    "credit_notes": ("total", "amount_available"),
    "transactions": ("amount",),
    "plans": ("price",),
    "addons": ("price",),
    "item_prices": ("price",),
}


def _lines_of(body: dict) -> dict[int, dict]:
    """What a subscription consists of, by position: a plan stands at 0, items and addons from 1."""
    found = {}
    if "plan_id" in body:
        found[0] = {"type": "plan", "price_id": body["plan_id"], "quantity": body["plan_quantity"], "amount": body["plan_amount"]}
    for position, addon in enumerate(body.get("addons", []), 1):
        found[position] = {"type": "addon", "price_id": addon["id"], "quantity": addon["quantity"], "amount": addon["amount"]}
    for position, item in enumerate(body.get("subscription_items", []), 1):
        found[position] = {
            "type": item["item_type"],
            "price_id": item["item_price_id"],
            "quantity": item["quantity"],
            "amount": item["amount"],
        }
    return found


def _change_of(before: dict | None, after: dict | None) -> str | None:
    if before is None:
        return "new"
    if after is None:
        return "churned"
    if before["amount_eur"] is None or after["amount_eur"] is None:
        return None
    if after["amount_eur"] == before["amount_eur"]:
        return "unchanged"
    return "upgraded" if after["amount_eur"] > before["amount_eur"] else "downgraded"


def run_times(world: World, months: int) -> list[int]:
    """Two minutes into each month behind the first, and one day behind the last of them."""
    first = moment(world.start)
    borders = [month_start(first.year, first.month, later) for later in range(1, months + 1)]
    return [border + 120 for border in borders] + [borders[-1] + 86400 + 120]


def last_day(seconds: int) -> datetime.date:
    day = moment(seconds)
    return datetime.date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])

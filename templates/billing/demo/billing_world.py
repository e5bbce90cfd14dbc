"""A generated billing business: every version of every resource of some sites, and the exchange rates beside them.

A World is a timeline. `site.state(endpoint, now)` says how all resources of an endpoint stand at a moment, deleted ones
included; `rates(world, now)` is the file of exchange rates as published by then. The same seed gives the same world, and
the n-th customer lives the same life in a small world and in a large one.

One customer in twelve each: changes in the second in which a month begins; changes minutes before a month ends and is
seen minutes after; is deleted; changes currency; is cancelled and comes back; pays in yen, in a currency that nobody
quotes, in one that is quoted no more. The first two of a site are there from the first day with an addon, and get a credit
in the first month, so no list stays empty for long.
"""

from __future__ import annotations

import calendar
import datetime
import json
import random
from dataclasses import dataclass, field

DAY = 86400
PLAN_MODEL, ITEM_MODEL = "plan", "item"

# Price of one unit a month in the minor unit of its currency.
UNIT_PRICE = {
    "EUR": 4900,
    "USD": 5900,
    "GBP": 4550,
    "JPY": 8900,
    "SEK": 54900,
    "CHF": 5225,
    "ARS": 9900000,
    "RUB": 450000,
}
NOT_QUOTED = ("ARS", "RUB")  # nobody quotes the one, and the other no more
PLANS = {"basic": 1, "team": 3, "scale": 10, "legacy": 2}  # name: price in units
ADDONS = {"support": 1, "storage": 2, "sandbox": 1}

# As the European Central Bank writes its file: also currencies that are long gone, and a comma behind the last one.
RATE_COLUMNS = (
    "USD JPY BGN CYP CZK DKK EEK GBP HUF LTL LVL MTL PLN ROL RON SEK SIT SKK CHF ISK NOK HRK RUB TRL TRY AUD BRL CAD CNY "
    "HKD IDR ILS INR KRW MXN MYR NZD PHP SGD THB ZAR"
).split()
_DEAD = {"CYP", "EEK", "LTL", "LVL", "MTL", "ROL", "SIT", "SKK", "HRK", "RUB", "TRL"}
_RATE_OF = {"USD": 1.0789, "JPY": 161.37, "GBP": 0.85722, "SEK": 11.4305, "CHF": 0.9531, "KRW": 1453.21, "IDR": 17012.44}


def epoch(year: int, month: int, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return calendar.timegm((year, month, day, hour, minute, second))


def month_start(year: int, month: int, later: int = 0) -> int:
    """The first second of the month `later` months behind the given one."""
    years, months = divmod(month - 1 + later, 12)
    return epoch(year + years, months + 1)


@dataclass(frozen=True)
class Version:
    visible_at: int  # when the API begins to show it; `updated_at` may be earlier
    body: dict | None  # None: the API shows nothing of the resource any more


@dataclass
class Site:
    """One site of the billing system: its resources, each with all its versions in their order."""

    name: str
    catalog: str
    base_currency: str
    key: str
    unit_price: dict[str, int] = field(default_factory=lambda: UNIT_PRICE)
    versions: dict[str, dict[str, list[Version]]] = field(default_factory=dict)
    edition: int = 0  # grows with every put()

    def put(self, endpoint: str, body: dict, at: int | None = None, visible_at: int | None = None) -> dict:
        """Add a version. `at` stamps it: updated_at in seconds, and a resource_version above all earlier ones."""
        versions = self.versions.setdefault(endpoint, {}).setdefault(body["id"], [])
        body = dict(body)  # what is in it is never changed, only replaced
        if at is not None:
            newest = next((v.body.get("resource_version", 0) for v in reversed(versions) if v.body), 0)
            body["updated_at"] = at
            body["resource_version"] = max(at * 1000 + _spread(body["id"]), newest + 1)
        shown = visible_at if visible_at is not None else body.get("updated_at", body.get("occurred_at", 0))
        versions.append(Version(shown, body))
        self.edition += 1
        return body

    def remove(self, endpoint: str, key: str, at: int) -> None:
        """From `at` on the resource is not listed, as if it had never been."""
        self.versions[endpoint][key].append(Version(at, None))
        self.edition += 1

    def state(self, endpoint: str, now: int) -> dict[str, dict]:
        """The newest version that shows at `now`, by id."""
        found = {}
        for key, versions in self.versions.get(endpoint, {}).items():
            shown = next((v for v in reversed(versions) if v.visible_at <= now), None)
            if shown and shown.body is not None:
                found[key] = shown.body
        return found


@dataclass
class World:
    sites: dict[str, Site]
    start: int
    end: int
    seed: int = 0


def _spread(text: str) -> int:
    return sum(map(ord, text)) % 997


def generate(
    seed: int = 7, first_month: tuple[int, int] = (2023, 11), months: int = 24, customers: int = 24, all_quoted: bool = False
) -> World:
    """Two sites, one of each product catalog, over `months` months, each with `customers` customers.

    `all_quoted`: nobody pays in a currency without exchange rates."""
    prices = {currency: unit for currency, unit in UNIT_PRICE.items() if not all_quoted or currency not in NOT_QUOTED}
    start, end = month_start(*first_month), month_start(*first_month, months)
    sites = [Site("acme-eu", PLAN_MODEL, "EUR", "eu_key", prices), Site("acme-us", ITEM_MODEL, "USD", "us_key", prices)]
    for site in sites:
        _Catalog(site, start, end).live()
        for number in range(1, customers + 1):
            _Customer(site, number, random.Random(f"{seed}/{site.name}/{number}"), start, end).live()
    return World({site.name: site for site in sites}, start, end, seed)


# ---- exchange rates ---------------------------------------------------------------------------------------


def is_rate_day(day: datetime.date) -> bool:
    """Rates are made on working days, but not on 1 January, 1 May, 25 and 26 December, Good Friday, Easter Monday."""
    fixed = {(1, 1), (5, 1), (12, 25), (12, 26)}
    return day.weekday() < 5 and (day.month, day.day) not in fixed and (day - _easter(day.year)).days not in (-2, 1)


def _easter(year: int) -> datetime.date:
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    month, day = divmod(d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114, 31)
    return datetime.date(year, month, day + 1)


def rates(world: World, now: int) -> list[tuple[datetime.date, dict[str, str | None]]]:
    """Day and rates of every day published by `now` (15:00 UTC), newest first. None: nothing was quoted."""
    day = datetime.datetime.fromtimestamp(world.start, datetime.timezone.utc).date() - datetime.timedelta(days=20)
    choice = random.Random(f"{world.seed}/rates")
    value = {name: _RATE_OF.get(name, 2.5 + number) for number, name in enumerate(RATE_COLUMNS)}
    days = []
    while calendar.timegm((day.year, day.month, day.day, 15, 0, 0)) <= now:
        for name in RATE_COLUMNS:
            value[name] *= 1 + choice.uniform(-0.006, 0.006)
        if is_rate_day(day):
            # Five significant digits, as the bank writes them, without zeros behind.
            days.append((day, {name: None if name in _DEAD else f"{value[name]:.5g}" for name in RATE_COLUMNS}))
        day += datetime.timedelta(days=1)
    return days[::-1]


def rates_csv(world: World, now: int) -> str:
    lines = ["Date," + "".join(f"{name}," for name in RATE_COLUMNS)]
    for day, quoted in rates(world, now):
        lines.append(f"{day.isoformat()}," + "".join(f"{quoted[name] or 'N/A'}," for name in RATE_COLUMNS))
    return "\n".join(lines) + "\n"


# ---- the catalog ------------------------------------------------------------------------------------------


class _Catalog:
    """What is for sale: prices rise after a year, one plan is deleted, one coupon runs out."""

    def __init__(self, site: Site, start: int, end: int) -> None:
        self.site, self.start, self.end = site, start, end

    def live(self) -> None:
        if self.site.catalog == PLAN_MODEL:
            self._plan_model()
        else:
            self._item_model()
        self._coupons()

    def _later(self, share: float) -> int:
        return self.start + int((self.end - self.start) * share) // DAY * DAY + 9 * 3600

    def _plan_model(self) -> None:
        for currency, unit in self.site.unit_price.items():
            for name, units in PLANS.items():
                plan = {"id": f"{name}-{currency}", "name": f"{name.title()} {currency}", "price": unit * units, "period": 1,
                        "period_unit": "month", "pricing_model": "per_unit", "charge_type": "recurring", "status": "active",
                        "currency_code": currency, "taxable": True, "object": "plan"}
                if name == "scale":
                    plan["tiers"] = [{"starting_unit": 1, "ending_unit": 5, "price": unit * units, "object": "tier"},
                                     {"starting_unit": 6, "price": unit * units * 9 // 10, "object": "tier"}]
                self.site.put("plans", plan, self.start)
                if name == "team":
                    self.site.put("plans", plan | {"price": plan["price"] * 11 // 10}, self._later(0.5))
                if name == "legacy":
                    self._delete_plan(plan, self._later(0.4))
            for name, units in ADDONS.items():
                self.site.put("addons", {"id": f"{name}-{currency}", "name": name.title(), "price": unit * units // 2,
                                         "pricing_model": "flat_fee", "charge_type": "recurring", "period": 1,
                                         "period_unit": "month", "currency_code": currency, "status": "active",
                                         "taxable": False, "object": "addon"}, self.start)

    def _delete_plan(self, plan: dict, at: int) -> None:
        # The list forgets a plan without a word; only the event says so.
        gone = self.site.put("plans", plan | {"status": "deleted"}, at, visible_at=at)
        self.site.remove("plans", plan["id"], at)
        _event(self.site, "plan_deleted", at, {"plan": gone})

    def _item_model(self) -> None:
        for name, units in (PLANS | ADDONS).items():
            kind = "plan" if name in PLANS else "addon"
            item = {"id": name, "name": name.title(), "status": "active", "item_family_id": "crm", "type": kind,
                    "is_shippable": False, "enabled_for_checkout": True, "metered": False, "metadata": {},
                    "object": "item"}
            if kind == "plan":
                item["applicable_items"] = [{"id": addon, "object": "applicable_item"} for addon in ADDONS]
            self.site.put("items", item, self.start)
            if name == "legacy":
                self.site.put("items", item | {"status": "archived", "archived_at": self._later(0.4)}, self._later(0.4))
            for currency, unit in self.site.unit_price.items():
                price = {"id": f"{name}-{currency}", "name": f"{name.title()} {currency}", "item_family_id": "crm",
                         "item_id": name, "status": "active", "pricing_model": "per_unit", "price": unit * units,
                         "period": 1, "period_unit": "month", "currency_code": currency, "is_taxable": True,
                         "item_type": kind, "created_at": self.start, "object": "item_price",
                         "tax_detail": {"tax_profile_id": "standard", "object": "tax_detail"}}
                if name == "storage":
                    price["tiers"] = [{"starting_unit": 1, "ending_unit": 10, "price": unit, "object": "tier"},
                                      {"starting_unit": 11, "price": unit * 3 // 4, "object": "tier"}]
                self.site.put("item_prices", price, self.start)
                if name == "team":
                    self.site.put("item_prices", price | {"price": price["price"] * 11 // 10}, self._later(0.5))

    def _coupons(self) -> None:
        launch = {"id": "launch", "name": "Launch offer", "discount_type": "percentage", "discount_percentage": 12.0,
                  "duration_type": "forever", "status": "active", "apply_on": "invoice_amount", "created_at": self.start,
                  "plan_ids": ["basic", "team"], "redemptions": 1, "object": "coupon"}
        self.site.put("coupons", launch, self.start)
        self.site.put("coupons", launch | {"discount_percentage": 12.5, "redemptions": 9}, self._later(0.6))
        self.site.put("coupons", {"id": "welcome", "name": "Welcome", "discount_type": "fixed_amount",
                                  "discount_amount": 500, "currency_code": "EUR", "duration_type": "one_time",
                                  "status": "active", "created_at": self.start, "plan_ids": [], "object": "coupon"},
                      self.start)


def _event(site: Site, kind: str, at: int, content: dict, visible_at: int | None = None) -> None:
    number = len(site.versions.get("events", {})) + 1
    body = {"id": f"ev_{number:06d}", "occurred_at": at, "source": "admin_console", "object": "event", "api_version": "v2",
            "content": content, "event_type": kind, "webhook_status": "not_configured"}
    site.put("events", body, visible_at=visible_at)


# ---- customers, and what they do --------------------------------------------------------------------------


class _Customer:
    def __init__(self, site: Site, number: int, choice: random.Random, start: int, end: int) -> None:
        self.site, self.number, self.choice, self.start, self.end = site, number, choice, start, end
        self.story = number % 12
        self.is_founder = number <= 2
        self.currency = {6: "JPY", 11: "ARS", 10: "RUB"}.get(self.story)
        if self.currency not in site.unit_price:
            self.currency = choice.choice([site.base_currency, "EUR", "USD", "GBP", "SEK", "CHF"])

    def live(self) -> None:
        born = self.start + int((self.end - self.start) * self.choice.random() ** 2 * 0.8)
        if self.is_founder:
            born = self.start + 3600 * self.number
        self.body = self._first_body(born)
        self.put(born)
        for number in range(1, 3 if self.choice.random() < 0.25 else 2):
            _Subscription(self, number, born + self.choice.randint(0, 3 * DAY)).live()
        self._grow_older(born)

    def put(self, at: int, **changes) -> None:
        if at < self.end:
            self.body = self.site.put("customers", self.body | changes, at)

    def _first_body(self, born: int) -> dict:
        number = self.number
        body = {"id": f"cus_{number:04d}", "first_name": f"First{number}", "last_name": f"Läst {number}",
                "email": f"user{number}@example.com", "auto_collection": "on", "net_term_days": 0, "created_at": born,
                "taxability": "taxable", "pii_cleared": "active", "deleted": False, "object": "customer",
                "card_status": "valid", "promotional_credits": 0, "refundable_credits": 0, "excess_payments": 0,
                "unbilled_charges": 0, "preferred_currency_code": self.currency, "mrr": 0}
        if self.choice.random() < 0.8:
            body["billing_address"] = {"first_name": f"First{number}", "line1": f"{number} Mill Lane", "city": "Leeds",
                                       "zip": f"LS{number}", "country": "GB", "validation_status": "not_validated",
                                       "object": "billing_address"}
        body["contacts"] = [self._contact(n) for n in range(1, self.choice.randint(1, 3))]
        if self.choice.random() < 0.3:
            body["meta_data"] = {}
        return body

    def _contact(self, number: int) -> dict:
        return {"id": f"contact_{self.number}_{number}", "first_name": f"Contact{number}", "enabled": True,
                "email": f"contact{number}.{self.number}@example.com", "send_billing_email": number == 1,
                "object": "contact"}

    def _grow_older(self, born: int) -> None:
        later = born + self.choice.randint(20, 200) * DAY
        # A field that nobody had before the middle of the story.
        self.put(max(later, (self.start + self.end) // 2), cf_segment=self.choice.choice(["mid market", "enterprise"]))
        later = max(later, self.body["updated_at"]) + self.choice.randint(1, 90) * DAY
        self.put(later, contacts=self.body["contacts"][1:] + [self._contact(9)], promotional_credits=120,
                 balances=[{"promotional_credits": 120, "currency_code": self.currency, "object": "balance"}])
        if self.number % 12 == 5 and later + 30 * DAY < self.end:
            self.put(later + 30 * DAY, deleted=True)
        elif self.number % 12 == 8:
            cleared = {"first_name", "last_name", "email", "billing_address"}
            self.body = {name: value for name, value in self.body.items() if name not in cleared}
            self.put(later + 30 * DAY, pii_cleared="cleared")


class _Subscription:
    def __init__(self, customer: _Customer, number: int, born: int) -> None:
        self.customer, self.site, self.choice = customer, customer.site, customer.choice
        self.born, self.end = born, customer.end
        self.id = f"sub_{customer.number:04d}_{number}"
        self.currency = customer.currency
        self.plan, self.quantity, self.addons = self.choice.choice(list(PLANS)), self.choice.randint(1, 8), []
        if customer.is_founder:
            self.addons = ["support"]
        self.coupon = self.choice.random() < 0.25
        self.invoices = 0
        self.over = False  # cancelled or deleted: bills no more

    def live(self) -> None:
        self.body = {"id": self.id, "customer_id": self.customer.body["id"], "auto_collection": "on", "deleted": False,
                     "billing_period": 1, "billing_period_unit": "month", "created_at": self.born, "started_at": self.born,
                     "status": "active", "has_scheduled_changes": False, "due_invoices_count": 0, "object": "subscription",
                     "base_currency_code": self.site.base_currency}
        if self.choice.random() < 0.3:
            paying = self.born + 14 * DAY
            self.put("subscription_created", self.born, status="in_trial", trial_start=self.born, trial_end=paying)
            self.put("subscription_activated", paying, status="active", activated_at=paying)
        else:
            self.put("subscription_created", self.born, activated_at=self.born)
        term = self.born + 14 * DAY
        month = 0
        while term < self.end:
            self._month(month, term)
            term += 30 * DAY
            month += 1

    def _month(self, month: int, term: int) -> None:
        if not self.over:
            self.put("subscription_renewed", term, current_term_start=term, current_term_end=term + 30 * DAY)
            _Invoice(self, term).live()
        self._story(month, term + self.choice.randint(1, 12 * DAY))
        if not self.over:
            self._change_of_mind(term + self.choice.randint(13 * DAY, 29 * DAY))

    def _change_of_mind(self, at: int) -> None:
        chance = self.choice.random()
        if chance < 0.10:
            self.quantity += self.choice.randint(1, 4)
        elif chance < 0.17:
            self.quantity = max(1, self.quantity - self.choice.randint(1, 3))
        elif chance < 0.25:
            self.addons = (self.addons + [self.choice.choice(list(ADDONS))])[-3:]
        elif chance < 0.31 and self.addons:
            self.addons = self.addons[1:]
        elif chance < 0.34:
            self.put("subscription_cancellation_scheduled", at, status="non_renewing")
            gone = at + 20 * DAY
            self.put("subscription_cancelled", gone, status="cancelled", cancelled_at=gone, cancel_reason="not_paid")
            self.over = True
            return
        else:
            return
        self.put("subscription_changed", at)

    def _story(self, month: int, at: int) -> None:
        """What one customer in twelve does, some months after the beginning."""
        story = self.customer.story
        day = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
        border = month_start(day.year, day.month, 1)
        if story == 2 and month % 4 == 1:  # in the very second in which the next month begins
            self.quantity += 2
            self.put("subscription_changed", border)
        elif story == 3 and month % 3 == 1:  # minutes before the month ends, seen minutes after
            self.quantity += 1
            self.put("subscription_changed", border - 270 + self.choice.randint(0, 200), visible_at=border + 240)
        elif story == 5 and month == 4:
            self.put("subscription_deleted", at, deleted=True, status="cancelled")
            self.over = True
        elif story == 5 and month == 7 and self.customer.number % 24 == 5:  # the id comes back
            self.put("subscription_reactivated", at, deleted=False, status="active")
            self.over = False
        elif story == 7 and month in (3, 11):
            self.currency = "GBP" if self.currency != "GBP" else "JPY"
            self.put("subscription_changed", at)
        elif story == 9 and month == 5 and not self.over:
            self.put("subscription_cancelled", at, status="cancelled", cancelled_at=at)
            self.over = True
        elif story == 9 and month == 8:
            self.put("subscription_reactivated", at, status="active")
            self.over = False

    def put(self, event: str, at: int, visible_at: int | None = None, **changes) -> None:
        at = max(at, self.body.get("updated_at", 0) + 1)
        if visible_at is not None:
            visible_at = max(visible_at, at)
        if (visible_at or at) >= self.end:
            return
        body = self.body | changes | self._priced()
        if self.coupon:
            body["coupons"] = [{"coupon_id": "launch", "applied_count": self.invoices, "object": "coupon"}]
        self.body = self.site.put("subscriptions", body, at, visible_at)
        _event(self.site, event, at, {"subscription": self.body, "customer": self.customer.body}, visible_at)

    def positions(self) -> list[dict]:
        """What is paid for: name, type, quantity, unit price and amount in the minor unit."""
        unit = UNIT_PRICE[self.currency]
        lines = [("plan", self.plan, self.quantity, unit * PLANS[self.plan])]
        lines += [("addon", name, 1, unit * ADDONS[name] // 2) for name in self.addons]
        return [{"type": kind, "id": f"{name}-{self.currency}", "quantity": quantity, "unit_price": price,
                 "amount": quantity * price} for kind, name, quantity, price in lines]

    def amount(self) -> int:
        return sum(line["amount"] for line in self.positions())

    def exchange_rate(self) -> float:
        return 1.0 if self.currency == self.site.base_currency else 0.92

    def _priced(self) -> dict:
        lines = self.positions()
        common = {"currency_code": self.currency, "exchange_rate": self.exchange_rate(), "mrr": self.amount()}
        if self.site.catalog == ITEM_MODEL:
            items = [{"item_price_id": line["id"], "item_type": line["type"], "quantity": line["quantity"],
                      "unit_price": line["unit_price"], "amount": line["amount"], "free_quantity": 0,
                      "object": "subscription_item"} for line in lines]
            tiers = [{"item_price_id": line["id"], "starting_unit": 1, "price": line["unit_price"], "object": "item_tier"}
                     for line in lines if line["id"].startswith("storage")]
            return common | {"subscription_items": items} | ({"item_tiers": tiers} if tiers else {})
        plan, addons = lines[0], lines[1:]
        priced = common | {"plan_id": plan["id"], "plan_quantity": plan["quantity"], "plan_free_quantity": 0,
                           "plan_unit_price": plan["unit_price"], "plan_amount": plan["amount"]}
        # An empty list and no list at all mean the same; the API has shown both.
        if addons or self.quantity % 2:
            priced["addons"] = [{"id": line["id"], "quantity": line["quantity"], "unit_price": line["unit_price"],
                                 "amount": line["amount"], "object": "addon"} for line in addons]
        return priced


class _Invoice:
    """Billed, then paid some hours later; some are paid late, some are credited."""

    def __init__(self, subscription: _Subscription, at: int) -> None:
        self.subscription, self.site, self.choice = subscription, subscription.site, subscription.choice
        self.at, self.end = at, subscription.end
        subscription.invoices += 1
        self.id = f"inv_{subscription.id[4:]}_{subscription.invoices}"

    def live(self) -> None:
        self.body = self._first_body()
        self._put(self.at)
        paid_at = self.at + self.choice.randint(600, 5 * DAY)
        is_first_of_founder = self.subscription.customer.is_founder and self.subscription.invoices == 1
        if paid_at >= self.end:
            return
        if self.choice.random() < 0.9:
            self._pay(paid_at)
        if is_first_of_founder or self.choice.random() < 0.06:
            self._credit(paid_at + DAY)
        elif self.choice.random() < 0.02:
            self._put(paid_at + 2 * DAY, deleted=True)

    def _put(self, at: int, **changes) -> None:
        if at < self.end:
            self.body = self.site.put("invoices", self.body | changes, at)

    def _common(self) -> dict:
        return {"customer_id": self.subscription.body["customer_id"], "subscription_id": self.subscription.id,
                "currency_code": self.subscription.currency, "base_currency_code": self.site.base_currency,
                "exchange_rate": self.subscription.exchange_rate(), "deleted": False}

    def _first_body(self) -> dict:
        lines = [self._line(number, line) for number, line in enumerate(self.subscription.positions(), 1)]
        sub_total = sum(line["amount"] for line in lines)
        discount = sub_total // 8 if self.subscription.coupon else 0
        tax = (sub_total - discount) // 5 if self.site.base_currency == "EUR" else 0
        total = sub_total - discount + tax
        body = {"id": self.id, "recurring": True, "status": "payment_due", "price_type": "tax_exclusive", "date": self.at,
                "due_date": self.at, "net_term_days": 0, "total": total, "sub_total": sub_total, "tax": tax,
                "amount_paid": 0, "amount_due": total, "amount_adjusted": 0, "write_off_amount": 0, "credits_applied": 0,
                "first_invoice": self.subscription.invoices == 1, "generated_at": self.at, "object": "invoice",
                "line_items": lines, "linked_payments": [], "dunning_attempts": []}
        if discount:
            body["discounts"] = [{"amount": discount, "description": "Launch offer", "entity_type": "document_level_coupon",
                                  "entity_id": "launch", "object": "discount"}]
        if tax:
            body["taxes"] = [{"name": "VAT", "amount": tax, "description": "VAT @ 20%", "object": "tax"}]
            body["line_item_taxes"] = [{"line_item_id": lines[0]["id"], "tax_name": "VAT", "tax_rate": 20.0,
                                        "tax_amount": tax, "object": "line_item_tax"}]
        return body | self._common()

    def _line(self, number: int, line: dict) -> dict:
        return {"id": f"li_{self.id[4:]}_{number}", "date_from": self.at, "date_to": self.at + 30 * DAY,
                "unit_amount": line["unit_price"], "quantity": line["quantity"], "amount": line["amount"],
                "pricing_model": "per_unit", "is_taxed": False, "tax_amount": 0, "object": "line_item",
                "subscription_id": self.subscription.id, "entity_type": line["type"], "entity_id": line["id"],
                "description": f"{line['id']} × {line['quantity']}"}

    def _pay(self, at: int) -> None:
        number, total = f"txn_{self.id[4:]}", self.body["total"]
        details = {"card": {"iin": "411111", "last4": "1111", "brand": "visa", "expiry_year": 2029}}
        self.site.put("transactions", {"id": number, "payment_method": "card", "gateway": "chargebee", "type": "payment",
                                       "date": at, "amount": total, "status": "success", "amount_unused": 0,
                                       "payment_method_details": json.dumps(details), "object": "transaction",
                                       "linked_refunds": [],
                                       "linked_invoices": [{"invoice_id": self.id, "applied_amount": total, "applied_at": at,
                                                            "invoice_date": self.at, "invoice_total": total,
                                                            "invoice_status": "paid"}]} | self._common(), at)
        self._put(at, status="paid", paid_at=at, amount_paid=total, amount_due=0,
                  linked_payments=[{"txn_id": number, "applied_amount": total, "applied_at": at, "txn_status": "success",
                                    "txn_date": at, "txn_amount": total}])

    def _credit(self, at: int) -> None:
        if at >= self.end:
            return
        total = self.body["total"] // 2
        self.site.put("credit_notes", {"id": f"cn_{self.id[4:]}", "reference_invoice_id": self.id, "type": "refundable",
                                       "reason_code": "product_unsatisfactory", "status": "refund_due", "date": at,
                                       "price_type": "tax_exclusive", "total": total, "sub_total": total,
                                       "amount_allocated": 0, "amount_refunded": 0, "amount_available": total,
                                       "line_items": [self.body["line_items"][0] | {"amount": total}], "allocations": [],
                                       "object": "credit_note"} | self._common(), at)
        self._put(at, issued_credit_notes=[{"cn_id": f"cn_{self.id[4:]}", "cn_total": total, "cn_status": "refund_due",
                                            "cn_date": at}])

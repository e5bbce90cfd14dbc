"""The generated billing business and its API (templates/billing/demo), for tests."""

import pathlib
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
DEMO = CHECKOUT / "templates" / "billing" / "demo"
sys.path.insert(0, str(DEMO))

import billing_api  # noqa: E402
import billing_world  # noqa: E402

BillingApi, Canary = billing_api.BillingApi, billing_api.Canary
Site, World = billing_world.Site, billing_world.World
generate, month_start = billing_world.generate, billing_world.month_start

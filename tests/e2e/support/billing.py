"""The generated billing business and its API (templates/billing/demo), for tests."""

import pathlib
import subprocess
import sys

from support.lake import Lake
from support.leat import Leat, Result

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
DEMO = CHECKOUT / "templates" / "billing" / "demo"
sys.path.insert(0, str(DEMO))

import billing_api  # noqa: E402
import billing_world  # noqa: E402

BillingApi, Canary, Endpoint = billing_api.BillingApi, billing_api.Canary, billing_api.Endpoint
Site, World = billing_world.Site, billing_world.World
generate, month_start = billing_world.generate, billing_world.month_start


class Clock:
    """Has programs live at another time, by a library that is preloaded."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.preloaded = folder / "clock.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.preloaded, DEMO / "clock.c"], check=True)

    def at(self, now: int) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.preloaded), "CLOCK_NOW": str(now)}


class Project:
    """A folder with project files, and the program that runs it."""

    def __init__(self, leat: Leat, path: pathlib.Path, keys: dict[str, str]) -> None:
        self.leat, self.path, self.keys = leat, path, keys

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        self.write(name, text.replace(old, new))

    def run(self, *args, clock: dict[str, str] | None = None, timeout_s: float = 60) -> Result:
        return self.leat.run("run", *args, cwd=self.path, env=self.keys | (clock or {}), timeout_s=timeout_s)

    def start(self, *args):
        return self.leat.start("run", *args, cwd=self.path, env=self.keys)

    def lake(self) -> Lake:
        return Lake(self.path)

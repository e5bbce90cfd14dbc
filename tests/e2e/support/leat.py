"""Runs the program under test as a person would, in an environment that holds nothing of the tester's."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time

import pytest

_CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def binary() -> pathlib.Path:
    """LEAT_BIN, else build/leat of this checkout."""
    path = pathlib.Path(os.environ.get("LEAT_BIN") or _CHECKOUT / "build" / "leat").absolute()
    if not path.exists():
        pytest.fail(f"{path} is absent; run `make build`, or name another one in LEAT_BIN", pytrace=False)
    return path


@dataclasses.dataclass
class Result:
    """What a command left: its exit code, its answer, and what it told on the side."""

    command: str
    code: int
    stdout: str
    stderr: str
    duration_s: float

    def json(self):
        return json.loads(self.stdout)

    def expect(self, code: int) -> "Result":
        """Itself, if the command ended with `code`; else fails showing all that was printed."""
        assert self.code == code, f"expected exit code {code}\n{self}"
        return self

    def __str__(self) -> str:
        return f"$ {self.command}\nexit {self.code} after {self.duration_s:.2f} s\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


class Leat:
    """The program with a home folder of its own. `home/.pgpass` is where passwords go (`write_pgpass`)."""

    def __init__(self, home: pathlib.Path, cwd: pathlib.Path) -> None:
        self.binary = binary()
        self.home = home
        self.cwd = cwd
        self.home.mkdir(parents=True, exist_ok=True)
        # The zone is neither UTC nor the server's: a local time that slips through shows.
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "TZ": "America/New_York",
            "LANG": "C.UTF-8",
        }
        # Sanitizers are told from outside when LEAT_BIN is a dev build.
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def write_pgpass(self, lines: str) -> pathlib.Path:
        path = self.home / ".pgpass"
        path.write_text(lines)
        path.chmod(0o600)
        return path

    def arguments(self, *args) -> list[str]:
        return [str(self.binary), *map(str, args)]

    def run(
        self,
        *args,
        cwd: pathlib.Path | None = None,
        env: dict[str, str] | None = None,
        stdin: str = "",
        timeout_s: float = 60,
    ) -> Result:
        """Run to the end. `env` adds to the clean environment; a value of None takes a variable away."""
        environment = {k: v for k, v in (self.environment | (env or {})).items() if v is not None}
        begin = time.monotonic()
        done = subprocess.run(
            self.arguments(*args),
            cwd=cwd or self.cwd,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout_s,
        )
        command = " ".join(["leat", *map(str, args)])
        return Result(command, done.returncode, done.stdout, done.stderr, time.monotonic() - begin)

    def start(self, *args, cwd: pathlib.Path | None = None, env: dict[str, str] | None = None) -> subprocess.Popen:
        """Begin, and leave the rest to the caller: signals, pipes, the wait."""
        return subprocess.Popen(
            self.arguments(*args),
            cwd=cwd or self.cwd,
            env=self.environment | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

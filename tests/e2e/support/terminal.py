"""Runs a program on a terminal of its own, as a person sees it."""

import dataclasses
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from support.leat import Leat

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclasses.dataclass
class Shown:
    """What stood on the terminal at the end, and what was sent to it."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """Without colours; of a line that was drawn over, all that was drawn."""
        return _ESCAPE.sub("", self.raw)


def on_terminal(
    leat: Leat, *args, columns: int = 100, lines: int = 24, cwd=None, env: dict | None = None, timeout_s: float = 30
) -> Shown:
    """stdin, stdout and stderr are one terminal of `columns` × `lines`; line ends come as the program wrote them."""
    main, terminal = _open(columns, lines)
    environment = {k: v for k, v in (leat.environment | {"TERM": "xterm"} | (env or {})).items() if v is not None}
    process = subprocess.Popen(
        leat.arguments(*args), cwd=cwd or leat.cwd, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    try:
        raw = read_until(main, lambda _: False, timeout_s)
        return Shown(process.wait(timeout_s), raw)
    finally:
        process.kill()
        process.wait()
        os.close(main)


def _open(columns: int, lines: int) -> tuple[int, int]:
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    settings = termios.tcgetattr(terminal)
    settings[1] &= ~termios.OPOST  # else the kernel adds carriage returns of its own
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    return main, terminal


def read_until(main: int, is_enough, timeout_s: float) -> str:
    """All that comes until `is_enough(text)`, until nobody holds the terminal any more, or until the time is over."""
    received = b""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and not is_enough(received.decode(errors="replace")):
        if not select.select([main], [], [], 0.05)[0]:
            continue
        try:
            piece = os.read(main, 65536)
        except OSError:  # EIO: the last process has closed its side
            break
        if not piece:
            break
        received += piece
    return received.decode("utf-8", errors="replace")

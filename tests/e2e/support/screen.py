"""A command as a person at a terminal sees it: standard output is a pseudo-terminal of a given width."""

import os
import pty
import subprocess

from support.leat import Leat


def show(leat: Leat, *args, cwd, columns: int = 100) -> tuple[int, str, str]:
    """(exit code, what stood on the terminal, standard error), without colour."""
    ours, theirs = pty.openpty()
    try:
        command = subprocess.Popen(
            leat.arguments(*args),
            cwd=cwd,
            env=leat.environment | {"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
    finally:
        os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        answer = b"".join(_parts(terminal))
    _, stderr = command.communicate(timeout=60)
    return command.returncode, answer.decode("utf-8").replace("\r\n", "\n"), stderr


def _parts(terminal):
    while True:
        try:
            part = terminal.read(1 << 16)
        except OSError:  # how Linux says that the other end is closed
            return
        if not part:
            return
        yield part

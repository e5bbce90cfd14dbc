"""Runs one program and says what it took: wall time, processor time, memory."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import tempfile
import time

_OUTPUT_SHOWN_BYTES = 2000


class Failed(Exception):
    """A program that ended with another exit code than 0; the text holds the end of what it printed."""


@dataclasses.dataclass(frozen=True)
class Usage:
    """What one process took, its children included."""

    wall_s: float
    cpu_s: float  # user and system
    resident_bytes_max: int
    stdout: str


def run(
    command: list[str],
    *,
    cwd: pathlib.Path | None = None,
    env: dict[str, str] | None = None,
    keep_output: bool = True,
) -> Usage:
    """Run to the end. Without `keep_output` stdout goes to /dev/null, as a yardstick's rows do.

    Throws: Failed.
    """
    # Files and not pipes: nobody would drain a pipe while this process sleeps in wait4.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=stdout if keep_output else subprocess.DEVNULL,
            stderr=stderr,
        )
        try:
            _, status, resources = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            raise Failed(_describe(command, process.returncode, _tail(stdout) + _tail(stderr)))
        stdout.seek(0)
        return Usage(
            wall_s=wall_s,
            cpu_s=resources.ru_utime + resources.ru_stime,
            # The kernel counts in KiB, and not less than this Python held when it started the process: about 40 MB.
            resident_bytes_max=resources.ru_maxrss * 1024,
            stdout=stdout.read().decode(errors="replace"),
        )


def stop(command: list[str], *, cwd: pathlib.Path, env: dict[str, str], after_s: float) -> float:
    """Send SIGINT `after_s` seconds after the start. Returns the seconds from there to the end.

    Throws: Failed, unless it ends with 130.
    """
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        time.sleep(after_s)
        begin = time.perf_counter()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        wall_s = time.perf_counter() - begin
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
    if process.returncode != 130:
        raise Failed(_describe(command, process.returncode, output.decode(errors="replace")[-_OUTPUT_SHOWN_BYTES:]))
    return wall_s


def _describe(command: list[str], code: int, output: str) -> str:
    ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"`{' '.join(command)}` {ended}\n{output}".rstrip()


def _tail(file) -> str:
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(max(0, size_bytes - _OUTPUT_SHOWN_BYTES))
    return file.read().decode(errors="replace")

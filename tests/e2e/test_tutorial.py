"""docs/tutorial.md, followed to the letter: its files are written, its commands typed, and their answers compared.

A block that follows a line of just `a/path` is that file. In a `console` block, lines behind `$ ` are commands, what follows is what they
say. LEAT_WRITE_EXPECTED=1 puts the answers of this run into the document, for a person to read.
"""

import dataclasses
import itertools
import os
import pathlib
import pty
import re
import subprocess

from support.leat import binary
from support.postgres import SUPERUSER

_DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "tutorial.md"

# What differs from run to run and from machine to machine. How many rows are read again depends on how long ago the last run was.
_VARYING = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? (µs|ms|s|min)\b"), "DURATION"),
    (re.compile(r"\b(dur_s|rows_per_s|rtt_ms)=[\d.]+"), r"\1=N"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "CLOCK"),
    (re.compile(r"read \d+ = (written \d+)?( \+ )?(repeated \d+)?"), r"read \1"),
    (re.compile(r"PostgreSQL [\d.]+"), "PostgreSQL N"),
    (re.compile(r"127\.0\.0\.1|\b\d{4,5}\b(?!-)"), "SERVER"),
    (re.compile(r" +"), " "),
]


@dataclasses.dataclass
class Block:
    language: str
    file: str  # the path named above it; empty: none
    lines: list[str]


def read_blocks(text: str) -> list[Block]:
    blocks, above, inside = [], "", None
    for line in text.splitlines():
        if inside is None and line.startswith("```"):
            named = re.fullmatch(r"`([\w./]+)`", above)
            inside = Block(line[3:], named.group(1) if named else "", [])
        elif inside is not None and line == "```":
            blocks.append(inside)
            inside, above = None, ""
        elif inside is not None:
            inside.lines.append(line)
        elif line:
            above = line
    return blocks


def commands_of(block: Block) -> list[tuple[str, str]]:
    """(command, what it says) of a console block."""
    commands: list[tuple[str, list[str]]] = []
    for line in block.lines:
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return [(command, "\n".join(said)) for command, said in commands]


def settled(text: str) -> str:
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text.strip()


class Reader:
    """Somebody at a terminal, in an empty folder."""

    def __init__(self, pg, folder: pathlib.Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": f"{folder / 'bin'}:{pathlib.Path(pg.program('psql')).parent}:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "TERM": "dumb",
            "PGHOST": pg.host,
            "PGPORT": str(pg.port),
            "PGUSER": SUPERUSER,
        }
        (folder / "bin").mkdir()
        (folder / "bin" / "leat").symlink_to(binary())
        (folder / "home").mkdir()
        self.desk = folder / "desk"
        self.desk.mkdir()

    def write(self, block: Block) -> None:
        path = self.desk / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(block.lines) + "\n", encoding="utf-8")

    def type(self, command: str) -> str:
        """What the command says, as a terminal shows it: diagnostics and the answer, without the lines of progress."""
        terminal, slave = pty.openpty()
        with open(terminal, "rb", buffering=0) as screen:
            process = subprocess.Popen(
                ["bash", "-c", command], cwd=self.desk, env=self.environment, stdout=slave, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
            )
            os.close(slave)
            answer = b"".join(iter(lambda: self._read(screen), b""))
            errors = process.stderr.read().decode()
            process.wait(timeout=60)
        told = [line for line in errors.splitlines() if not re.match(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ", line)]
        return "\n".join([line.rstrip() for line in told + answer.decode().splitlines()])

    @staticmethod
    def _read(screen) -> bytes:
        try:
            return screen.read(65536)
        except OSError:  # EIO: nobody holds the other end any more
            return b""


def test_tutorial_says_what_happens(pg, tmp_path):
    text = _DOCUMENT.read_text(encoding="utf-8")
    blocks = read_blocks(text)
    reader = Reader(pg, tmp_path)
    differences = []
    try:
        for block in blocks:
            if block.file:
                reader.write(block)
            if block.language != "console":
                continue
            told = [(command, said, reader.type(command)) for command, said in commands_of(block)]
            differences += [entry for entry in told if settled(entry[1]) != settled(entry[2])]
            answers = itertools.chain.from_iterable([f"$ {command}", *answer.splitlines()] for command, _, answer in told)
            text = text.replace("\n".join(["```console", *block.lines, "```"]), "\n".join(["```console", *answers, "```"]), 1)
    finally:
        pg.drop_database("cafe")
    if os.environ.get("LEAT_WRITE_EXPECTED"):
        _DOCUMENT.write_text(text, encoding="utf-8")
        return
    for command, said, answer in differences:
        print(f"$ {command}\n--- the tutorial says\n{said}\n--- it is\n{answer}")
    assert not differences, f"{len(differences)} commands say something else than docs/tutorial.md"

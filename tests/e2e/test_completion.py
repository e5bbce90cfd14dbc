"""Completion as a shell's user has it: real shells are asked, and what they make of a line is compared."""

import os
import pty
import re
import shutil
import subprocess

import pytest

from support.leat import Leat
from support.terminal import read_until

_SETTINGS = "name: small\nconnections:\n  crm: {type: postgres, host: localhost, database: crm, user: reader}\ntargets: {prod: {}}\n"


@pytest.fixture
def project(tmp_path):
    """A project that never ran, with a source and two models; `leat` is found in PATH."""
    folder = tmp_path / "project"
    (folder / "sources").mkdir(parents=True)
    (folder / "models" / "mart").mkdir(parents=True)
    (folder / "leat.yaml").write_text(_SETTINGS)
    (folder / "sources" / "crm.yaml").write_text("type: postgres\nconnection: crm\n")
    (folder / "models" / "mart" / "dim_staff.sql").write_text("/* ---\ntags: [monthly]\n--- */\nSELECT 1 AS a\n")
    (folder / "models" / "mart" / "fact_sale.sql").write_text("SELECT 1 AS a\n")
    return folder


@pytest.fixture
def leat(tmp_path):
    program = Leat(tmp_path / "home", tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "leat").symlink_to(program.binary)
    program.environment["PATH"] = f"{tmp_path}/bin:/usr/bin:/bin"
    return program


class Bash:
    """An interactive bash that has sourced the completion, on a terminal without echo of its own prompt."""

    def __init__(self, leat: Leat, cwd) -> None:
        self._main, terminal = pty.openpty()
        environment = leat.environment | {"TERM": "dumb", "PS1": "READY>", "INPUTRC": "/dev/null", "HISTFILE": ""}
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            cwd=cwd,
            env=environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        self._send("source <(leat completion bash); bind 'set bell-style none'; PS1='READ''Y>'\n", "READY>")

    def __enter__(self) -> "Bash":
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._main)

    def words(self, line: str) -> list[str]:
        """The words of the command after Tab was pressed at the end of `line`."""
        # Ctrl-A goes to the begin of the line; what stands there then is printed instead of run.
        shown = self._send(line + "\t\x01printf '<%s>' \n\x15", "READY>", tail=r"(?:<[^>]*>)+")
        return re.findall(r"<([^>%]*)>", re.findall(r"(?:<[^>\r\n]*>)+", shown)[-1])

    def _send(self, keys: str, until: str, tail: str = "") -> str:
        os.write(self._main, keys.encode())
        pattern = re.compile(tail + r"\s*" + re.escape(until) + r"\s*$")
        shown = read_until(self._main, lambda text: pattern.search(text) is not None, 10)
        assert pattern.search(shown), f"bash did not answer: {shown!r}"
        return shown


@pytest.fixture
def bash(leat, project):
    with Bash(leat, project) as shell:
        yield shell


@pytest.mark.parametrize(
    "typed, completed",
    [
        ("leat vali", ["leat", "validate"]),
        ("leat run --fu", ["leat", "run", "--full-refresh"]),
        ("leat query x --format j", ["leat", "query", "x", "--format", "json"]),
        ("leat query x --format=j", ["leat", "query", "x", "--format=json"]),
        ("leat runs sh", ["leat", "runs", "show"]),
        ("leat preview mart.d", ["leat", "preview", "mart.dim_staff"]),
        ("leat preview models/mart/f", ["leat", "preview", "models/mart/fact_sale.sql"]),
        ("leat run source:c", ["leat", "run", "source:crm"]),
        ("leat run mart.dim_staff tag:m", ["leat", "run", "mart.dim_staff", "tag:monthly"]),
        ("leat run +mart.f", ["leat", "run", "+mart.fact_sale"]),
        ("leat connections test c", ["leat", "connections", "test", "crm"]),
        ("leat -t p", ["leat", "-t", "prod"]),
        ("leat run --target=d", ["leat", "run", "--target=default"]),
        ("leat explain LEAT020", ["leat", "explain", "LEAT020"]),  # many: nothing is chosen
        ("leat explain LEAT0203", ["leat", "explain", "LEAT0203"]),
    ],
)
def test_bash_completes(bash, typed, completed):
    assert bash.words(typed) == completed


def test_bash_completes_in_the_project_that_the_line_names(leat, project, tmp_path):
    with Bash(leat, tmp_path) as shell:
        assert shell.words("leat -C project preview mart.d") == ["leat", "-C", "project", "preview", "mart.dim_staff"]
        assert shell.words("leat preview mart.d") == ["leat", "preview", "mart.d"]
        assert shell.words("leat -C proj") == ["leat", "-C", "project/"]


def test_a_broken_project_or_state_is_met_with_silence(leat, project):
    (project / ".leat").mkdir()
    (project / ".leat" / "state.db").write_bytes(b"no database" * 500)
    (project / "leat.yaml").write_text("name: [")
    for line in ("leat preview ", "leat runs show ", "leat run source:", "leat frobnicate ", ""):
        result = leat.run("__complete", line, cwd=project)
        assert (result.code, result.stderr) == (0, ""), result


def test_streams_and_runs_come_from_the_state_database(make):
    project = make("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)")
    project.run().expect(0)
    assert project.command("__complete", "leat preview src.").stdout.splitlines()[:1] == ["src.item\tstream"]
    assert project.command("__complete", "leat runs show ").stdout.splitlines() == ["1\tsucceeded "]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_reads_its_script(leat, shell):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = leat.run("completion", shell).expect(0).stdout
    subprocess.run([program, "-n"], input=script, text=True, check=True, timeout=10)


def test_fish_completes(leat, project):
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    done = subprocess.run(
        ["fish", "-c", "leat completion fish | source; complete -C 'leat preview mart.'"],
        cwd=project,
        env=leat.environment,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["mart.dim_staff", "mart.fact_sale"]


def test_an_unknown_shell_is_refused(leat):
    refused = leat.run("completion", "fsh").expect(2)
    assert "SHELL is 'fsh'; expected bash or zsh or fish; did you mean fish?" in refused.stderr
    assert "leat completion needs a shell" in leat.run("completion").expect(2).stderr


def test_the_manual_is_clean_and_names_every_command(leat):
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    page = leat.run("man").expect(0).stdout
    checked = subprocess.run(
        ["groff", "-ww", "-man", "-Tutf8", "-Kutf8", "-P-c"], input=page, capture_output=True, text=True, timeout=20
    )
    assert checked.stderr == ""
    shown = re.sub(r".\x08", "", checked.stdout)
    helped = leat.run("--help").expect(0).stdout
    commands = re.findall(r"^  ([a-z]+) ", helped.split("Commands\n")[1].split("\n\n")[0], re.MULTILINE)
    assert len(commands) > 15
    for command in commands:
        assert re.search(rf"^   leat {command}\b", shown, re.MULTILINE), command
    for word in ("EXIT STATUS", "143", "LEAT_LAKE", "LEAT_LIMITS_THREADS", "--full-refresh", "~/.pgpass"):
        assert word in shown, word

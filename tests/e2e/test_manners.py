"""Manners on a terminal, in a pipe and when asked to stop; and words that a new user stumbled over."""

import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from support.project import Project
from support.terminal import on_terminal

_ITEM = "CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item SELECT g, 'item ' || g FROM generate_series(1, 1500) g"

# Generous, for a machine that does other things as well; the bench measures against 200 ms.
_STOP_S_MAX = 1.5

COMMANDS = [
    ("run",),
    ("status", "--all"),
    ("validate",),
    ("check",),
    ("runs",),
    ("runs", "show"),
    ("runs", "logs"),
    ("preview", "mart.total"),
    ("preview", "nothing.here"),
    ("state", "show"),
    ("query", "SELECT nme FROM src.item"),
    ("explain", "203"),
    ("doctor",),
    ("run", "--help"),
    ("frobnicate",),
]


def fill(project: Project) -> Project:
    """One stream and one model with a check, after a first run."""
    project.model("total", "SELECT id, name FROM src.item", head="key: id\nchecks:\n  - not_null: [name]")
    project.run().expect(0)
    return project


@pytest.fixture
def shop(make):
    """A project of the test's own."""
    return fill(make(_ITEM))


@pytest.fixture(scope="module")
def shown_shop(pg, tmp_path_factory):
    """The same for tests that only look at it; runs may be added."""
    project = fill(Project(pg, tmp_path_factory.mktemp("shown"), _ITEM, warehouse=False))
    yield project
    project.drop()


def lines(text: str) -> list[str]:
    return text.replace("\r", "\n").splitlines()


# --- terminal and pipe ---------------------------------------------------------------------------------------------------


def test_off_a_terminal_there_is_no_escape_no_carriage_return_and_no_grouped_digit(shown_shop):
    for command in COMMANDS:
        result = shown_shop.command(*command, env={"TERM": "xterm", "COLUMNS": "40"})
        for text in (result.stdout, result.stderr):
            assert not re.search("[\x1b\r\u202f]", text), result
    assert "1500" in shown_shop.command("status", "--all").stdout
    # Nothing is cut, however narrow COLUMNS says it is.
    assert "mart.total" in shown_shop.command("runs", "logs", env={"COLUMNS": "20"}).stdout


@pytest.mark.parametrize(
    "flags, env", [((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--no-color",), {}), ((), {"TERM": None})]
)
def test_a_terminal_without_colour_gets_no_escape_and_nothing_redrawn(shown_shop, flags, env):
    for command in (("run",), ("status", "--all"), ("runs", "show"), ("query", "SELECT nme FROM src.item"), ("explain", "203")):
        shown = on_terminal(shown_shop.leat, *command, *flags, cwd=shown_shop.folder, env=env)
        assert not re.search("[\x1b\r]", shown.raw), (command, shown)


def test_a_terminal_gets_colour_and_grouped_digits(shop):
    shop.execute("UPDATE item SET name = 'changed' WHERE id = 1")
    run = on_terminal(shop.leat, "run", cwd=shop.folder)
    assert run.code == 0 and "\x1b[32m✓\x1b[0m" in run.raw
    status = on_terminal(shop.leat, "status", "--all", cwd=shop.folder)
    assert "\x1b[" in status.raw and "1\u202f500" in status.raw
    assert "\x1b[1;31merror" in on_terminal(shop.leat, "query", "SELECT nme FROM src.item", cwd=shop.folder).raw


@pytest.mark.parametrize("columns", [60, 200])
def test_a_terminal_is_never_written_beyond_its_margin(shown_shop, columns):
    for command in (("run",), ("status", "--all"), ("runs",), ("runs", "show"), ("preview", "mart.total"), ("state", "show")):
        shown = on_terminal(shown_shop.leat, *command, columns=columns, cwd=shown_shop.folder)
        assert shown.code == 0
        too_long = [line for line in lines(shown.text) if len(line) > columns]
        assert too_long == [], command


def test_tables_are_drawn_as_pinned(shop):
    def told(columns: int) -> list[str]:
        shown = on_terminal(shop.leat, "runs", columns=columns, cwd=shop.folder)
        return [re.sub(r"\d\d:\d\d|\d+(\.\d)? s\b", lambda m: "#" * len(m[0]), line) for line in lines(shown.text)]

    assert told(200) == [
        "  RUN  STATUS     STARTED  DURATION  DONE  FAILED  SKIPPED  ROWS READ  SELECTION",
        "    1  succeeded  #####       #####     2       0        0      1\u202f500",
    ]
    # The narrower, the fewer columns.
    assert told(48) == [
        "  RUN  STATUS     STARTED  FAILED  ROWS READ",
        "      SELECTION",
        "    1  succeeded  #####         0      1\u202f500",
    ]


@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LANG": "de_DE.ISO-8859-1"}, {"LC_ALL": "POSIX"}])
def test_where_the_locale_is_not_utf8_only_ascii_is_drawn(shown_shop, locale):
    for command in COMMANDS:
        shown = on_terminal(shown_shop.leat, *command, cwd=shown_shop.folder, env=locale)
        if command[0] == "explain":
            continue  # pages are prose
        assert shown.raw.isascii(), (command, shown)


def test_json_is_one_document_with_and_without_a_terminal(shown_shop):
    for command in COMMANDS:
        if command in (("runs", "logs"), ("run", "--help")):
            continue
        result = shown_shop.command(*command, "--json")
        assert set(result.json()) == {"format", "command", "data", "diagnostics"}, result
    shown = on_terminal(shown_shop.leat, "status", "--json", cwd=shown_shop.folder)
    assert "\x1b" not in shown.raw and shown.raw.startswith('{"format":1,')


def test_quiet_and_verbose_change_progress_alone(shown_shop):
    quiet, plain, verbose = (shown_shop.run(*flags).expect(0) for flags in (("-q",), (), ("-v",)))
    assert quiet.stderr == ""
    assert len(verbose.stderr.splitlines()) > len(plain.stderr.splitlines()) > 0
    words = [re.sub(r"\d.*? s\b", "", result.stdout) for result in (quiet, plain, verbose)]
    assert words[0] == words[1] == words[2]


def test_long_help_goes_through_the_pager_on_a_terminal_alone(shown_shop, tmp_path):
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho paged\ncat\n")
    pager.chmod(0o755)
    env = {"PAGER": str(pager)}
    code = "LEAT0203"
    assert on_terminal(shown_shop.leat, "explain", code, env=env, lines=5).text.startswith("paged")
    assert "paged" not in on_terminal(shown_shop.leat, "explain", code, env=env, lines=200).text
    assert "paged" not in on_terminal(shown_shop.leat, "explain", code, lines=5).text
    assert "paged" not in shown_shop.command("explain", code, env=env).stdout
    assert "paged" not in on_terminal(shown_shop.leat, "explain", code, "--json", env=env, lines=5).text


def test_the_manual_is_shown_as_such_on_a_terminal(shown_shop):
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    shown = on_terminal(shown_shop.leat, "man", env={"PAGER": "cat", "MANPAGER": "cat"})
    assert shown.code == 0 and ".SH" not in shown.text
    assert re.search(r"^ +-j, --threads N", re.sub(r".\x08", "", shown.text), re.MULTILINE), shown
    page = shown_shop.command("man").stdout
    assert page.startswith(".TH LEAT 1")
    assert "LEAT_LAKE" in page and "LEAT_TARGETS" not in page  # no variable reaches into a target


# --- streams that are closed ---------------------------------------------------------------------------------------------


def test_a_reader_that_has_enough_is_no_fault(shown_shop):
    process = shown_shop.leat.start("query", "SELECT * FROM range(10000000)", "--format", "csv", cwd=shown_shop.folder)
    assert process.stdout.readline() == "range\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(10) == 0


def test_standard_streams_that_were_closed_stay_nobodys_file(shop):
    def closed(which: str, *args):
        command = " ".join(f"'{word}'" for word in shop.leat.arguments(*args)) + f" {which}"
        return subprocess.run(
            ["sh", "-c", command], cwd=shop.folder, env=shop.leat.environment, capture_output=True, text=True, timeout=30
        )

    shop.execute("INSERT INTO item VALUES (5000, 'x')")
    closed(">&- 2>&-", "run")
    assert shop.query("SELECT count(*) FROM src.item") == ["1501"]
    refused = closed("<&-", "query", "-")
    assert refused.returncode == 1 and "cannot read standard input" in refused.stderr
    assert closed("<&-", "status").returncode == 0
    assert "cannot write the answer" in closed(">&-", "status").stderr


# --- being asked to stop -------------------------------------------------------------------------------------------------


def stop(process: subprocess.Popen, number: signal.Signals = signal.SIGINT) -> tuple[float, str, str]:
    """How long it took to end, and what it said."""
    begin = time.monotonic()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    return time.monotonic() - begin, stdout, stderr


def wait_for(condition, process: subprocess.Popen) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "what the test waits for did not come"
        time.sleep(0.02)


def somebody_waits(database, table: str):
    """Whether a statement waits for the lock on a table."""
    query = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = to_regclass(%s)"
    return lambda: database.value(query, [table])


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_stops_at_once_while_it_waits_for_a_source(shop, number, code):
    with shop.source.connect(autocommit=False) as connection:
        connection.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        run = shop.leat.start("run", cwd=shop.folder)
        wait_for(somebody_waits(shop.source, "item"), run)
        duration_s, stdout, _ = stop(run, number)
    assert run.returncode == code
    assert duration_s < _STOP_S_MAX
    # What was finished, and how to go on.
    assert stdout.startswith("0 of 2 tables done in ")
    assert "the other tables are as they were; lake and positions are consistent.\nGo on with  leat retry\n" in stdout
    assert shop.run().expect(0)


def test_a_run_stops_at_once_while_it_builds(shop):
    shop.model("endless", "SELECT count(*) AS n FROM range(1000000000000) t(i), src.item WHERE i % 7 = id")
    run = shop.leat.start("run", "mart.endless", "-v", cwd=shop.folder)
    told = ""
    while "step=build" not in told:
        told = run.stderr.readline()
        assert told, run.communicate()
    time.sleep(0.1)
    duration_s, stdout, _ = stop(run)
    assert run.returncode == 130 and duration_s < _STOP_S_MAX
    assert "Go on with  leat retry\n" in stdout


def test_a_run_stops_at_once_while_it_loads(make):
    project = make(_ITEM, warehouse=True)
    project.model("total", "SELECT id, name FROM src.item", head="key: id")
    project.run().expect(0)
    project.execute("UPDATE item SET name = 'other'")
    with project.warehouse.connect(autocommit=False) as connection:
        connection.execute("LOCK TABLE total IN ACCESS EXCLUSIVE MODE")
        run = project.leat.start("run", cwd=project.folder)
        wait_for(somebody_waits(project.warehouse, "total"), run)
        duration_s, _, _ = stop(run)
    assert run.returncode == 130 and duration_s < _STOP_S_MAX
    project.run().expect(0)
    assert {name for _, name in project.loaded("total")} == {"other"}


def test_the_second_ctrl_c_ends_it_without_another_word(shop):
    with shop.source.connect(autocommit=False) as connection:
        connection.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        run = shop.leat.start("run", cwd=shop.folder)
        wait_for(somebody_waits(shop.source, "item"), run)
        run.send_signal(signal.SIGSTOP)  # so that it meets both at once
        run.send_signal(signal.SIGINT)
        run.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        run.send_signal(signal.SIGCONT)
        stdout, _ = run.communicate(timeout=10)
        assert time.monotonic() - begin < 0.5
    assert run.returncode in (130, 143) and stdout == ""
    shop.run().expect(0)


def test_query_and_validate_stop_at_once(shop):
    query = shop.leat.start("query", "SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 3", cwd=shop.folder)
    time.sleep(0.4)
    duration_s, stdout, stderr = stop(query)
    assert (query.returncode, stdout, stderr) == (130, "", "stopped; nothing was changed\n")
    assert duration_s < _STOP_S_MAX

    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = shop.settings().replace(f"port: {shop.pg.port}", f"port: {silent.getsockname()[1]}")
        shop.write("leat.yaml", settings + "state: ./other.db\n")
        validate = shop.leat.start("validate", cwd=shop.folder)
        accepted, _ = silent.accept()
        with accepted:  # as long as it lives, nobody hangs up
            accepted.recv(1)
            duration_s, stdout, _ = stop(validate)
    assert (validate.returncode, stdout) == (130, "") and duration_s < _STOP_S_MAX


def test_an_answer_that_nobody_reads_does_not_hold_it(shown_shop):
    query = shown_shop.leat.start("query", "SELECT * FROM range(10000000)", "--format", "csv", cwd=shown_shop.folder)
    assert query.stdout.readline() == "range\n"
    time.sleep(0.4)  # the pipe is full now
    begin = time.monotonic()
    query.send_signal(signal.SIGINT)
    assert query.wait(10) == 130
    assert time.monotonic() - begin < _STOP_S_MAX
    query.communicate()


# --- words ---------------------------------------------------------------------------------------------------------------


def test_a_name_that_is_slightly_wrong_gets_its_neighbour(shop):
    shop.model("later", "SELECT 1 AS a")
    for command, words in [
        (("preview", "mart.totl"), "did you mean mart.total?"),
        (("preview", "total"), "did you mean mart.total?"),
        (("preview", "mart.later"), "leat run +mart.later"),
        (("runs", "logs", "--table", "mart.totl"), "did you mean mart.total?"),
        (("run", "mart.totl"), "did you mean mart.total?"),
        (("state", "show", "mart.totl"), "did you mean mart.total?"),
        (("explain", "LEAT02O3"), "did you mean LEAT0203?"),
        (("help", "rnu"), "did you mean run?"),
        (("query", "SELECT * FROM mart.totl"), "did you mean mart.total?"),
    ]:
        refused = shop.command(*command).expect(2)
        assert words in refused.stderr, refused
        assert refused.stdout == ""


def test_preview_never_shows_sql_that_nobody_typed(shown_shop):
    for name in ("mart.totl", "totl", "mart.to tl", "mart.x; DROP TABLE y", "a.b.c"):
        refused = shown_shop.command("preview", name).expect(2)
        assert "SELECT" not in refused.stderr and "┌" not in refused.stderr, refused


def test_a_table_can_be_described_and_summarised(shown_shop):
    described = shown_shop.query("describe mart.total;")
    assert [line.split(",")[:2] for line in described] == [["id", "INTEGER"], ["name", "VARCHAR"]]
    assert shown_shop.query("DESC SELECT id FROM src.item -- all")[0].startswith("id,INTEGER")
    assert {line.split(",")[0] for line in shown_shop.query("SUMMARIZE mart.total")} == {"id", "name"}
    wrong = shown_shop.command("query", "SUMMARIZE SELECT nme FROM src.item").expect(2)
    assert "query:1:18" in wrong.stderr and "did you mean name?" in wrong.stderr, wrong
    assert "leat status --all" in shown_shop.command("query", "SHOW TABLES").expect(2).stderr


def test_a_run_that_was_killed_is_not_said_to_have_done_nothing(shop):
    with shop.source.connect(autocommit=False) as connection:
        connection.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        run = shop.leat.start("run", cwd=shop.folder)
        wait_for(somebody_waits(shop.source, "item"), run)
        run.kill()
        run.communicate()
    newest = shop.command("runs").expect(0).stdout.splitlines()[1]
    assert re.search(r"2  crashed .*–  +–  +–  +–", newest), newest


def test_help_of_a_command_shows_its_own_flags(shown_shop):
    shown = shown_shop.command("preview", "--help").expect(0).stdout
    assert "--rows" in shown and "--log-format" not in shown
    assert shown.splitlines()[-1].endswith("leat --help")
    assert "--log-format" in shown_shop.command("--help").expect(0).stdout

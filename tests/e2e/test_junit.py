"""What CI systems read: JUnit XML, and the annotations of a GitHub job. Both are read here by others' rules."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from support.project import Project

TABLES = """
    CREATE TABLE staff (id int PRIMARY KEY, name text);
    INSERT INTO staff VALUES (1, 'ann'), (2, E'a<b & "c" \\x1b'), (3, NULL);
"""


@pytest.fixture
def project(make) -> Project:
    project = make(TABLES)
    project.model("good", "SELECT id, name FROM src.staff\n", "key: id\nchecks: [unique: [id]]")
    project.model("odd", "SELECT id, name FROM src.staff\n", "key: id\nchecks:\n  - accepted_values: {name: [ann]}\n    severity: warn")
    project.model("bad", "SELECT id, name FROM src.staff\n", "key: id\nchecks: [not_null: [name], unique: [id]]")
    project.model("below", "SELECT id FROM mart.bad\n")
    return project


def report(project: Project, name: str = "junit.xml") -> dict[str, dict[str, ElementTree.Element]]:
    """Cases by suite and name, after the shape of JUnit was checked."""
    root = ElementTree.parse(project.folder / name).getroot()
    assert root.tag == "testsuites"
    suites = {}
    for suite in root:
        assert suite.tag == "testsuite" and suite.get("name")
        cases = {case.get("name"): case for case in suite}
        assert {case.tag for case in suite} == {"testcase"} and len(cases) == len(suite)
        assert all(case.get("classname") == suite.get("name") for case in suite)
        assert int(suite.get("tests")) == len(suite)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{tag}"))
        assert re.fullmatch(r"\d+\.\d{3}", suite.get("time"))
        suites[suite.get("name")] = cases
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert int(root.get(attribute)) == len(root.findall(f".//{tag}"))
    return suites


def test_run_gives_a_suite_per_table_and_a_case_per_step_and_check(project):
    project.run("--junit", "junit.xml").expect(1)
    suites = report(project)
    assert {suite: set(cases) for suite, cases in suites.items()} == {
        "src.staff": {"extract"},
        "mart.good": {"build", "unique(id)"},
        "mart.odd": {"build", "accepted_values(name)"},
        "mart.bad": {"build", "not_null(name)", "unique(id)"},
        "mart.below": {"build"},
    }
    failure = suites["mart.bad"]["not_null(name)"].find("failure")
    assert failure.get("type") == "LEAT0701"
    assert failure.get("message") == "check not_null(name) on mart.bad failed: 1 of 3 rows are NULL"
    assert "models/mart/bad.sql:3:21" in failure.text and "= help:" in failure.text
    assert suites["mart.below"]["build"].find("skipped") is not None
    warned = suites["mart.odd"]["accepted_values(name)"]
    assert warned.find("failure") is None and 'a<b & "c"' in warned.find("system-out").text
    assert not list(project.folder.glob("junit.xml.*"))


def test_check_and_a_project_that_is_broken_give_a_report_too(project):
    project.run().expect(1)
    project.command("check", "mart.good", "--junit", "junit.xml").expect(0)
    assert {suite: set(cases) for suite, cases in report(project).items()} == {"mart.good": {"unique(id)"}}

    project.model("good", "SELECT nope FROM src.staffs\n")
    project.run("--junit", "junit.xml").expect(2)
    assert list(report(project)) == ["run"]
    (case,) = report(project)["run"].values()
    assert case.find("failure").get("type") == "LEAT0204"

    refused = project.run("--junit", "no/such/folder.xml").expect(2)
    assert "LEAT0195" in refused.stderr


# --- GitHub --------------------------------------------------------------------------------------------------------


def unescape(text: str, *, value: bool) -> str:
    """What GitHub's runner makes of the data, or of a property's value, of a workflow command."""
    for sign, code in (("\r", "%0D"), ("\n", "%0A"), *(((":", "%3A"), (",", "%2C")) if value else ()), ("%", "%25")):
        text = text.replace(code, sign)
    return text


def annotations(stderr: str) -> list[tuple[str, dict[str, str], str]]:
    """(command, properties, message) of each line that the runner would take for a command."""
    found = []
    for line in stderr.splitlines():
        if match := re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line):
            pairs = (pair.split("=", 1) for pair in match[2].split(","))
            found.append((match[1], {key: unescape(value, value=True) for key, value in pairs}, unescape(match[3], value=False)))
    return found


def test_github_shows_faults_at_their_lines(project):
    github = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(project.folder.parent)}
    done = project.run("--json", env=github).expect(1)
    faults = done.json()["diagnostics"]
    told = annotations(done.stderr)
    assert len(told) == len(faults) == 2
    for (command, properties, message), fault in zip(told, faults):
        assert command == fault["severity"]
        assert properties == {
            "file": f"project/{fault['file']}", "line": str(fault["line"]), "col": str(fault["column"]),
            "endColumn": str(fault["end_column"]), "title": fault["code"],
        }
        assert message == "\n".join([fault["message"], *(f"help: {text}" for text in fault["help"])])

    project.model("good", "SELECT 1 AS a,\n       nope AS b, '100 %' AS c FROM src.staff\n")
    (told,) = annotations(project.command("validate", env=github).expect(2).stderr)
    assert told[0] == "error" and told[1]["title"] == "LEAT0203" and told[1]["line"] == "2"


def test_nothing_is_annotated_elsewhere(project):
    for environment in ({}, {"GITHUB_ACTIONS": "false"}):
        assert annotations(project.run(env=environment).stderr) == []
    github = {"GITHUB_ACTIONS": "true"}
    assert annotations(project.run("--log-format", "json", env=github).stderr) == []
    assert annotations(project.command("status", env=github).stderr) == []

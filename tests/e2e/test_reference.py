"""docs/reference is what the program's declarations say now."""

import json
import pathlib
import re
import subprocess

import pytest

from support.leat import Leat, binary

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    tool = binary().resolve().with_name("leat-reference")
    if not tool.exists():
        pytest.fail(f"{tool} is absent; build it beside leat", pytrace=False)
    subprocess.run([tool, folder], check=True, timeout=20)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_pages_are_not_stale(written):
    kept = {path.name: path.read_text() for path in REFERENCE.iterdir()}
    assert sorted(kept) == sorted(written), "run `make reference`"
    for name, text in written.items():
        assert kept[name] == text, f"docs/reference/{name} is stale; run `make reference`"


def test_each_section_is_described_once_and_found_by_links(written):
    for name, text in written.items():
        tables = [part.split("\n\n", 1)[1].strip() for part in text.split("\n## ")[1:] if name != "commands.md"]
        assert len(tables) == len(set(tables)), name
        anchors = {re.sub(r"[^\w-]", "", title) for title in re.findall(r"^## (.+)$", text, re.MULTILINE)}
        links = set(re.findall(r"\]\(#([^)]+)\)", text))
        assert links <= anchors, name
        assert name == "commands.md" or links == anchors, name
    assert "| `version` | 2 |" in written["schema_yml.md"]


def test_every_command_and_key_stands_there(written, tmp_path):
    program = Leat(tmp_path / "home", tmp_path)
    commands = written["commands.md"]
    for line in program.run("--help").expect(0).stdout.split("Commands\n")[1].split("\n\n")[0].splitlines():
        assert f"\n## leat {line.split()[0]}\n" in commands
    for kind in ("project", "source", "sql_model", "model", "check", "seed"):
        schema = json.loads(program.run("schema", kind).expect(0).stdout)
        branches = schema.get("oneOf", [schema])
        for key, field in [entry for branch in branches for entry in branch["properties"].items()]:
            assert f"| `{key}`" in written[f"{kind}.md"]
            assert field["description"].replace("|", "\\|") in written[f"{kind}.md"]

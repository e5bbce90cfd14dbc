"""`leat schema`: JSON Schemas for editors, judged by Python's jsonschema. They agree with `leat validate` about files."""

import datetime
import io
import json
import re

import jsonschema
import pytest
import ruamel.yaml

from support.leat import Leat

KINDS = ["project", "source", "sql_model", "model", "check", "seed", "schema_yml"]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema")
    return Leat(folder / "home", folder)


@pytest.fixture(scope="module")
def schemas(program):
    return {kind: json.loads(program.run("schema", kind).expect(0).stdout) for kind in KINDS}


def load(text: str):
    """YAML by the core schema of 1.2, as editors read it: a day is text."""

    def plain(value):
        if isinstance(value, dict):
            return {plain(key): plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        return value.isoformat() if isinstance(value, datetime.date) else value

    return plain(ruamel.yaml.YAML(typ="safe", pure=True).load(io.StringIO(text)))


def faults(schema, text: str) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft7Validator(schema).iter_errors(load(text))]


def test_every_schema_is_one(schemas):
    for schema in schemas.values():
        jsonschema.Draft7Validator.check_schema(schema)


def keys(schema, path=""):
    """(path, schema) of every key below a schema."""
    for name, value in schema.get("properties", {}).items():
        yield f"{path}.{name}", value
        yield from keys(value, f"{path}.{name}")
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from keys(schema[part], path + "[]")
    for branch in schema.get("anyOf", []) + schema.get("oneOf", []):
        yield from keys(branch, path)


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_has_hover_text_and_an_example_that_is_valid(schemas, kind):
    found = list(keys(schemas[kind]))
    assert found
    for path, schema in found:
        assert schema["description"].endswith("."), path
        (example,) = schema["examples"]
        jsonschema.Draft7Validator(schema).validate(example)
        if "default" in schema:
            jsonschema.Draft7Validator(schema).validate(schema["default"])


def test_keys_of_a_target_are_those_of_the_file_without_its_name(schemas):
    project = schemas["project"]["properties"]
    (target,) = [branch for branch in project["targets"]["anyOf"] if "additionalProperties" in branch]
    assert set(target["additionalProperties"]["properties"]) == set(project) - {"name", "targets"}


@pytest.mark.parametrize("template", [["shop", "--source", "postgresql://reader@db/totesys", "--warehouse", "postgresql://w@wh/w"], ["empty"]])
def test_files_of_a_new_project_name_their_schema_and_are_valid(program, tmp_path, template):
    program.run("init", "new", "--template", *template, cwd=tmp_path).expect(0)
    project = tmp_path / "new"
    files = sorted(project.rglob("*.yaml"))
    assert files
    for file in files:
        text = file.read_text()
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert named, f"{file} begins with no schema"
        schema = json.loads((file.parent / named[1]).read_text())
        assert faults(schema, text) == [], file
    for file in sorted(project.rglob("*.sql")):
        head = re.match(r"/\* ---\n(.*?)--- \*/", file.read_text(), re.DOTALL)
        kind = "check" if file.parent.name == "checks" else "sql_model"
        if head:
            assert faults(json.loads((project / f".leat/schema/{kind}.json").read_text()), head[1]) == [], file


def test_write_makes_the_files_that_print_shows(program, schemas, tmp_path):
    (tmp_path / "leat.yaml").write_text("name: shop\n")
    below = tmp_path / "models"
    below.mkdir()
    done = program.run("schema", "--write", cwd=below).expect(0)
    written = {path.stem: json.loads(path.read_text()) for path in (tmp_path / ".leat/schema").iterdir()}
    assert written == schemas
    assert "wrote .leat/schema/project.json\n" in done.stdout
    assert program.run("schema", "seed", "--json").expect(0).json()["data"]["schema"] == schemas["seed"]


def test_an_unknown_kind_names_the_nearest(program):
    done = program.run("schema", "sorce").expect(2)
    assert "KIND is 'sorce'; expected project or source or sql_model or model or check or seed or schema_yml; did you mean source?" in done.stderr


PROJECT = "name: shop\nconnections: {crm: {type: postgres}}\n"
SOURCE = "type: postgres\nconnection: crm\n"
# What stands in one file, and whether it is right. Both have to say so: the schema, and leat.
CASES = [
    ("project", PROJECT, True),
    ("project", PROJECT + "lakes: ./x\n", False),
    ("project", "lake: ./lake\n", False),
    ("project", "name: My Shop\n", False),
    ("project", "name: a__b\n", False),
    ("project", "name: _leat_x\n", False),
    ("project", "name: shop\nlake: s3://bucket/x\n", False),
    ("project", "name: shop\nlake: ~/lake\n", False),
    ("project", "name: shop\nlake: ''\n", False),
    ("project", "name: shop\nconnections:\n", True),
    ("project", "name: shop\nconnections: {crm: {host: db}}\n", False),
    ("project", "name: shop\nconnections: {crm: {type: mysql}}\n", False),
    ("project", "name: shop\nconnections: {crm: {type: postgres, host: 10, user: true}}\n", True),
    ("project", "name: shop\nconnections: {crm: {type: postgres, port: '5432'}}\n", False),
    ("project", "name: shop\nconnections: {crm: {type: postgres, port: 70000}}\n", False),
    ("project", "name: shop\nconnections: {crm: {type: postgres, password: hunter2}}\n", False),
    ("project", 'name: shop\nconnections: {crm: {type: postgres, password: "${PW}"}}\n', True),
    ("project", 'name: shop\nconnections: {crm: {type: postgres, password: "${file:/run/pw}"}}\n', True),
    ("project", "name: shop\nconnections: {Crm: {type: postgres}}\n", False),
    ("project", PROJECT + "warehouse: {connection: crm, load: mart.*}\n", True),
    ("project", PROJECT + "warehouse: {schema: mart}\n", False),
    ("project", PROJECT + "limits: {memory: 2 GB, threads: 4}\n", True),
    ("project", PROJECT + "limits: {memory: 2 gigabytes}\n", False),
    ("project", PROJECT + "limits: {threads: 0}\n", False),
    ("project", PROJECT + "limits: [4]\n", False),
    ("project", PROJECT + "retention: {runs: 90 days}\n", False),
    ("project", PROJECT + "targets: {prod: {limits: {memory: null}, connections: {crm: {host: db}, old: null}}}\n", True),
    ("project", PROJECT + "targets: {prod: {name: other}}\n", False),
    ("project", PROJECT + "targets: {prod: {connections: {crm: {hots: db}}}}\n", False),
    ("project", PROJECT + "targets: {prod: null}\n", False),
    ("source", SOURCE, True),
    ("source", SOURCE + 'streams: {"*": {}, staff: , "log_?": {skip: true, key: null}}\n', True),
    ("source", SOURCE + "streams: {staff: {skipp: true}}\n", False),
    ("source", SOURCE + "streams: {staff: {skip: yes}}\n", False),
    ("source", SOURCE + "streams: [staff]\n", False),
    ("source", SOURCE + "deletes: 6h\n", True),
    ("source", SOURCE + "deletes: every_run\n", True),
    ("source", SOURCE + "deletes: sometimes\n", False),
    ("source", SOURCE + "key: [a, a]\n", False),
    ("source", SOURCE + "columns: {missing: null, new: add}\n", True),
    ("source", SOURCE + "columns: {changed: narrow}\n", False),
    ("source", "connection: crm\n", False),
    ("model", "kind: dim_date\nfrom: 2020-01-01\n", True),
    ("model", "kind: dim_date\nfrom: 1 January\n", False),
    ("model", "key: date_id\n", False),
    ("model", "kind: dim_date\nwarehouse: false\n", True),
    ("model", "kind: dim_date\nwarehouse: true\n", False),
    ("sql_model", "kind: history\nkey: [id, line]\nrecord_id: rid\n", True),
    ("sql_model", "kind: ledger\n", False),
    ("sql_model", "checks: [not_null: [id], references: {id: mart.dim_x}]\n", True),
    ("sql_model", "checks: [references: {id: dim_x}]\n", False),
    ("sql_model", "checks: {not_null: id}\n", False),
    ("sql_model", "warehouse: {types: {id: 'int; DROP'}}\n", False),
    ("check", "severity: reject\n", False),
    ("check", "severity: warn\ntags: [finance]\n", True),
    ("seed", "columns: {types: {code: VARCHAR}}\n", True),
    ("seed", "columns: {types: [VARCHAR]}\n", False),
]


def files(kind: str, text: str) -> dict[str, str]:
    """A project whose one questionable file holds `text`."""
    head = f"/* ---\n{text}--- */\nSELECT 1 AS id\n"
    return {"leat.yaml": PROJECT} | {
        "project": {"leat.yaml": text},
        "source": {"sources/src.yaml": text},
        "sql_model": {"models/mart/m.sql": head},
        "model": {"models/mart/m.yaml": text},
        "check": {"checks/c.sql": head},
        "seed": {"seeds/s.yaml": text, "seeds/s.csv": "code\n1\n"},
    }[kind]


# Codes of faults in a file by itself; another one, such as a table that does not exist, is no schema's business.
FORM = {"LEAT0102", "LEAT0103", "LEAT0104", "LEAT0105", "LEAT0106", "LEAT0107", "LEAT0108", "LEAT0110", "LEAT0112"}


def test_schema_and_leat_agree(program, schemas, tmp_path):
    for number, (kind, text, right) in enumerate(CASES):
        project = tmp_path / str(number)
        for name, content in files(kind, text).items():
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        done = program.run("validate", "--fast", "--json", cwd=project)
        told = [diagnostic for diagnostic in done.json()["diagnostics"] if diagnostic["code"] in FORM]
        assert (told == []) == right, f"leat about {kind}\n{text}\n{told}"
        found = faults(schemas[kind], text)
        assert (found == []) == right, f"the schema about {kind}\n{text}\n{found}"

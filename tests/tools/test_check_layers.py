"""tools/check_layers sees includes that break the order of the folders, and says where and why."""

import pathlib
import subprocess

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_layers"


def check(src: pathlib.Path, files: dict[str, str]) -> subprocess.CompletedProcess:
    for name, text in files.items():
        path = src / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return subprocess.run([TOOL, src], capture_output=True, text=True)


def test_accepts_own_folder_lower_levels_and_libraries(tmp_path):
    done = check(
        tmp_path,
        {
            "lake/table.cc": '#include "lake/table.h"\n#include <vector>\n#include "state/state.h"\n#include "core/error.h"\n',
            "models/head.h": '#include "engine/engine.h"\n',
            "clients/postgres/scan.cc": '#include "clients/postgres/connection.h"\n#include "duck/vector.h"\n',
            "sources/postgres/read.cc": '#include "sources/source.h"\n#include "clients/postgres/scan.h"\n',
            "cli/main.cc": '#include "pipeline/run.h"\n',
        },
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("file", "include", "rule"),
    [
        ("core/text.cc", "lake/table.h", "upward: core/ is below lake/"),
        ("pipeline/run.cc", "service/serve.h", "upward: pipeline/ is below service/"),
        (
            "sources/postgres/read.cc",
            "models/model.h",
            "sideways: sources/ and models/ are of one level and must not know each other",
        ),
        (
            "warehouse/warehouse.h",
            "alerts/mail.h",
            "sideways: warehouse/ and alerts/ are of one level and must not know each other",
        ),
        (
            "clients/postgres/scan.cc",
            "clients/http/client.h",
            "sideways: clients/postgres must not know clients/http/",
        ),
        ("lake/table.cc", "table.h", "write includes from src/, with their folder"),
        ("lake/table.cc", "../core/error.h", "write includes from src/, without . or .."),
        ("lake/table.cc", "fmt/format.h", "fmt/ is no folder of src/; other libraries are included with <…>"),
        ("helpers/text.cc", "core/error.h", "helpers/ has no level; give it one in tools/check_layers"),
    ],
)
def test_names_place_include_and_rule(tmp_path, file, include, rule):
    done = check(tmp_path, {file: f'// A comment.\n  # include "{include}"\n'})
    assert done.returncode == 1
    assert done.stderr == f'{tmp_path / file}:2: include "{include}": {rule}\n'


def test_reports_every_offence(tmp_path):
    done = check(
        tmp_path,
        {
            "duck/database.cc": '#include "lake/table.h"\n#include "core/error.h"\n#include "cli/main.h"\n',
            "models/build.cc": '#include "sources/source.h"\n',
        },
    )
    assert done.returncode == 1
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [
        f"{tmp_path}/duck/database.cc:1",
        f"{tmp_path}/duck/database.cc:3",
        f"{tmp_path}/models/build.cc:1",
    ]


def test_this_tree_is_in_order():
    done = subprocess.run([TOOL], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_refuses_a_folder_that_is_not_there(tmp_path):
    done = subprocess.run([TOOL, tmp_path / "nowhere"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"check_layers: {tmp_path / 'nowhere'} is not a folder\n"

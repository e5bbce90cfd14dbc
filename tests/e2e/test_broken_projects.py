"""What `leat validate` says of projects that are broken in one place: code, place, caret and remedy, word by word.

A folder of cases/broken holds the files in which it differs from the valid project `_valid`, what is said (expected.txt) and, where a
word is misspelt, the right one (suggests.txt). LEAT_WRITE_EXPECTED=1 writes expected.txt anew, for a person to read.
"""

import os
import pathlib
import re
import shutil

import pytest

_CASES = pathlib.Path(__file__).parent / "cases" / "broken"
_VALID = _CASES / "_valid"
_NAMES = sorted(folder.name for folder in _CASES.iterdir() if folder != _VALID)
_NOT_COPIED = shutil.ignore_patterns("suggests.txt", "expected.txt")

# What is at fault is the file's name: no line of it.
_ABOUT_NAMES_OF_FILES = {"file_of_a_source_with_capitals", "model_in_two_files", "model_outside_a_folder"}

_LINES_MAX = 20
_SUGGESTED_SHARE_MIN = 0.9


def validate(leat, folder: pathlib.Path, case: str | None):
    shutil.copytree(_VALID, folder)
    if case:
        shutil.copytree(_CASES / case, folder, ignore=_NOT_COPIED, dirs_exist_ok=True)
    return leat.run("validate", "--fast", cwd=folder)


def told(text: str) -> list[str]:
    """The single diagnostics of a text."""
    return re.split(r"\n(?=(?:error|warning)\[)", text.strip())


def test_project_that_the_cases_start_from_is_valid(leat, tmp_path):
    result = validate(leat, tmp_path / "project", None).expect(0)
    assert result.stderr == ""


@pytest.mark.parametrize("case", _NAMES)
def test_fault_is_told_with_place_and_remedy(leat, tmp_path, case):
    result = validate(leat, tmp_path / "project", case).expect(2)
    expected = _CASES / case / "expected.txt"
    if os.environ.get("LEAT_WRITE_EXPECTED"):
        expected.write_text(result.stderr, encoding="utf-8")
    assert result.stderr == expected.read_text(encoding="utf-8")
    for diagnostic in told(result.stderr):
        assert re.match(r"(error|warning)\[LEAT\d{4}\]: \S", diagnostic), diagnostic
        line = "" if case in _ABOUT_NAMES_OF_FILES else r":\d+(:\d+)?"
        assert re.search(rf"^ *┌─ [\w./]+{line}$", diagnostic, re.M), f"no place\n{diagnostic}"
        assert "= help: " in diagnostic, f"no remedy\n{diagnostic}"
        assert len(diagnostic.splitlines()) <= _LINES_MAX


def test_misspelt_words_get_the_right_one_suggested():
    right_words = {file.parent: file.read_text(encoding="utf-8").strip() for file in _CASES.glob("*/suggests.txt")}
    missed = [
        folder.name
        for folder, right in right_words.items()
        if f"did you mean {right}" not in (folder / "expected.txt").read_text(encoding="utf-8")
    ]
    assert len(right_words) >= 30
    assert len(missed) <= (1 - _SUGGESTED_SHARE_MIN) * len(right_words), f"without their suggestion: {missed}"


def test_value_of_a_seed_that_does_not_fit_is_found_when_it_is_read(leat, tmp_path):
    shutil.copytree(_VALID, tmp_path / "project")
    (tmp_path / "project/seeds/sale.csv").write_text("sale_id,customer_id,amount,sold_at\n1,1,seven,2024-03-01\n")
    result = leat.run("query", "SELECT * FROM seeds.sale", cwd=tmp_path / "project").expect(2)
    assert "error[LEAT0212]: seed seeds.sale cannot be read: column amount holds 'seven' on line 2; expected DECIMAL(9,2)\n" in result.stderr
    assert "┌─ seeds/sale.csv:2\n" in result.stderr

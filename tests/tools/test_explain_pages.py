"""Every code that leat may print has a page for `leat explain`, and every page a code that is in use."""

import pathlib
import re

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((CHECKOUT / "docs" / "explain").glob("*.md"))
CODE = re.compile(r'"(LEAT\d{4})"')


def codes_in_use() -> dict[str, str]:
    """Each code that stands as a string in the sources, with one file that holds it. Tests and comments do not count."""
    found = {}
    for path in sorted((CHECKOUT / "src").rglob("*")):
        if path.suffix not in {".cc", ".h"} or path.stem.endswith("_test"):
            continue
        text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        for code in CODE.findall(text):
            found.setdefault(code, str(path.relative_to(CHECKOUT)))
    return found


def test_every_code_has_a_page():
    pages = {page.stem for page in PAGES}
    missing = {code: file for code, file in codes_in_use().items() if code not in pages}
    assert missing == {}, "write docs/explain/<code>.md"


def test_every_page_has_a_code():
    assert {page.stem for page in PAGES} - set(codes_in_use()) == set(), "no source prints these codes; remove their pages"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_is_whole(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"# {page.stem}: \S.*[^.]", lines[0]), "a page begins with `# CODE: what it means`"
    paragraphs = "\n".join(lines[1:]).strip().split("\n\n")
    assert len(paragraphs) >= 3, "a page says why it happens, how to mend it, and shows an example"
    assert lines.count("```") == 2, "one example"
    assert max(map(len, lines)) <= 100

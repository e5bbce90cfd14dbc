"""Fixtures of the fault tests.

    cluster          the PostgreSQL server of this test process
"""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import world  # noqa: E402


@pytest.fixture(scope="session")
def cluster():
    with world.running_cluster() as made:
        yield made

"""leat dies, its disk fails, its connections break; after each time source, lake and warehouse agree.

A failure prints the command that repeats it. LEAT_FAULTS_SEED chooses other rounds.
"""

import os

import pytest
import rounds

SEED = int(os.environ.get("LEAT_FAULTS_SEED", "1"))


def chunks(*kinds: str) -> list:
    return [
        pytest.param(kind, *rounds.chunk_of(rounds.KINDS[kind], first), id=f"{kind}-{first}")
        for kind in kinds
        for first in range(0, rounds.KINDS[kind].in_ci, rounds.CHUNK)
    ]


def play(cluster, kind: str, first: int, last: int) -> None:
    assert list(rounds.play(cluster, SEED, kind, first, last)) == list(range(first, last + 1))


@pytest.mark.parametrize(("kind", "first", "last"), chunks("kills"))
def test_recovers_from_a_kill_at_any_moment(cluster, kind, first, last):
    play(cluster, kind, first, last)


@pytest.mark.parametrize(("kind", "first", "last"), chunks("points"))
def test_recovers_from_a_kill_and_an_error_at_every_fail_point(cluster, kind, first, last):
    play(cluster, kind, first, last)


@pytest.mark.parametrize(("kind", "first", "last"), chunks("io"))
def test_tells_an_io_error_and_publishes_nothing_half(cluster, kind, first, last):
    play(cluster, kind, first, last)


@pytest.mark.parametrize(("kind", "first", "last"), chunks("network"))
def test_survives_broken_connections(cluster, kind, first, last):
    play(cluster, kind, first, last)

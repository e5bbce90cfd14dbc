"""How far each stream was read, as the state database holds it; tests that cannot wait turn its clock back."""

import contextlib
import json
import pathlib
import sqlite3


class Positions:
    def __init__(self, project: pathlib.Path) -> None:
        self._path = project / ".leat" / "state.db"

    def of(self, stream: str) -> dict:
        with self._open() as state:
            (value,) = state.execute("SELECT value FROM leat_positions WHERE stream = ?", [stream]).fetchone()
        return json.loads(value)

    def age(self, seconds: float) -> None:
        """All that is noted happened so much earlier."""
        self._rewrite(lambda position: _earlier(position, round(seconds * 1e6)))

    def forget(self) -> None:
        """Nobody can tell any more how far was read."""
        self._rewrite(lambda position: {})

    def _rewrite(self, change) -> None:
        with self._open() as state:
            for stream, value in state.execute("SELECT stream, value FROM leat_positions").fetchall():
                text = json.dumps(change(json.loads(value)), separators=(",", ":"))
                state.execute("UPDATE leat_positions SET value = ? WHERE stream = ?", [text, stream])

    @contextlib.contextmanager
    def _open(self):
        with contextlib.closing(sqlite3.connect(self._path)) as state, state:
            yield state


_OLDEST_MOMENT_US = 10**15  # of 2001; a smaller number of microseconds is a duration


def _earlier(value, by_us: int):
    """`value` with every moment moved: numbers of keys that end in `_us`."""
    if isinstance(value, list):
        return [_earlier(item, by_us) for item in value]
    if not isinstance(value, dict):
        return value
    moved = {}
    for key, item in value.items():
        is_moment = key.endswith("_us") and isinstance(item, int) and item > _OLDEST_MOMENT_US
        moved[key] = item - by_us if is_moment else _earlier(item, by_us)
    return moved

"""A project's lake seen through PyIceberg, which knows nothing of leat."""

import pathlib
import re

import pyarrow
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.table import Table


class Lake:
    """The catalog in the project's state database. Closed by `close`, or at the end of a `with`."""

    def __init__(self, project: pathlib.Path) -> None:
        settings = (project / "leat.yaml").read_text(encoding="utf-8")
        self.project = project
        self.catalog = SqlCatalog(
            _setting(settings, "name"),
            uri=f"sqlite:///{(project / _setting(settings, 'state', '.leat/state.db')).resolve()}",
            warehouse=f"file://{(project / _setting(settings, 'lake', 'lake')).resolve()}",
            init_catalog_tables="false",
        )

    def __enter__(self) -> "Lake":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.catalog.close()

    def names(self) -> set[str]:
        """Every table, as namespace.table."""
        return {
            ".".join(table) for namespace in self.catalog.list_namespaces() for table in self.catalog.list_tables(namespace)
        }

    def table(self, name: str) -> Table:
        return self.catalog.load_table(name)

    def snapshots(self) -> dict[str, int | None]:
        """The current snapshot of every table: equal before and after means that nothing was published."""
        found = {}
        for name in self.names():
            snapshot = self.table(name).current_snapshot()
            found[name] = snapshot.snapshot_id if snapshot else None
        return found

    def arrow(self, name: str, row_filter: str | BooleanExpression = AlwaysTrue()) -> pyarrow.Table:
        return self.table(name).scan(row_filter=row_filter).to_arrow()

    def rows(self, name: str, row_filter: str | BooleanExpression = AlwaysTrue()) -> list[dict]:
        return self.arrow(name, row_filter).to_pylist()

    def current(self, stream: str, key: str) -> dict:
        """The newest version of every key of a stream (`totesys.design`), without the deleted ones."""
        newest = {}
        for row in sorted(self.rows(f"{stream}__history"), key=lambda row: row["_leat_seq"]):
            newest[row[key]] = row
        return {k: row for k, row in newest.items() if row["_leat_op"] == "u"}

    def files(self, name: str, row_filter: str | BooleanExpression = AlwaysTrue()) -> list[str]:
        """The data files a scan with this filter would open."""
        return [task.file.file_path for task in self.table(name).scan(row_filter=row_filter).plan_files()]


def _setting(text: str, key: str, default: str | None = None) -> str:
    found = re.search(rf'^{key}:\s*"?([^"\s#]+)', text, re.MULTILINE)
    assert found or default is not None, f"leat.yaml has no {key}"
    return found.group(1) if found else default

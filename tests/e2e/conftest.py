"""Fixtures of the end-to-end tests.

    pg               the cluster of this test process (support.postgres.Cluster)
    totesys          a copy of the totesys source, the test's own (support.postgres.Database); role leat_reader may SELECT
    warehouse        an empty database, owned by role leat_writer
    leat             the program, home and folder of the test's own, ~/.pgpass holding every role's password
    make             make(tables, warehouse=False) -> support.project.Project of the test's own
    open_lake        open_lake(project) -> support.lake.Lake, closed at the end
"""

import pytest

pytest.register_assert_rewrite("support")

from support import totesys as totesys_source  # noqa: E402
from support.lake import Lake  # noqa: E402
from support.leat import Leat  # noqa: E402
from support.postgres import Cluster  # noqa: E402
from support.project import Project  # noqa: E402
from support.shop import WRITER  # noqa: E402


@pytest.fixture(scope="session")
def pg():
    with Cluster() as cluster:
        # With characters that a URL, a connection string or a pgpass reader might stumble over.
        cluster.create_role(totesys_source.READER, "reader's pass word%2F")
        cluster.create_role(WRITER, 'writer"pass=word')
        yield cluster


@pytest.fixture(scope="session")
def totesys_template(pg):
    return totesys_source.create_template(pg)


@pytest.fixture
def totesys(pg, totesys_template):
    database = pg.create_database(template=totesys_template)
    yield database
    pg.drop_database(database.name)


@pytest.fixture
def warehouse(pg):
    database = pg.create_database(owner=WRITER)
    yield database
    pg.drop_database(database.name)


@pytest.fixture
def leat(pg, tmp_path):
    program = Leat(tmp_path / "home", tmp_path)
    program.write_pgpass(pg.pgpass())
    return program


@pytest.fixture
def make(pg, tmp_path):
    projects = []

    def project(tables: str, **options) -> Project:
        projects.append(Project(pg, tmp_path, tables, **({"warehouse": False} | options)))
        return projects[-1]

    yield project
    for made in projects:
        made.drop()


@pytest.fixture
def open_lake():
    lakes = []

    def open_project(project):
        lakes.append(Lake(project))
        return lakes[-1]

    yield open_project
    for lake in lakes:
        lake.close()

"""`leat config`: the values that count, and which place gave each. Secrets are named by their place and never shown."""

import os
import re
import subprocess
import sys

import pytest

from support.leat import Leat

CANARY = "canary-5f2c"


@pytest.fixture
def shop(tmp_path):
    """A project whose servers do not exist: nothing is connected to."""
    program = Leat(tmp_path / "home", tmp_path / "shop")
    program.cwd.mkdir()
    (program.cwd / "leat.yaml").write_text(
        "name: shop\n"
        "connections:\n"
        '  crm: {type: postgres, host: db.internal, user: reader, database: crm, password: "${PW}"}\n'
        "  spare: {type: postgres}\n"
        'warehouse: {connection: spare, load: ["mart.*", "*.dim_*"]}\n'
        "limits: {threads: 4, memory: 1GB}\n"
        "targets:\n"
        "  prod: {lake: /srv/lake, state: /srv/state/state.db, connections: {crm: {host: prod.internal}}}\n"
    )
    return program


# The test's own user may be anybody.
FIXED = {"PGUSER": "zoe", "PGDATABASE": "zoedb"}


def origins(program: Leat, *args, **environment) -> dict[str, str]:
    done = program.run("config", "--origin", "--json", *args, env=FIXED | environment).expect(0)
    return done.json()["data"]["origins"]


def test_every_value_with_its_place(shop):
    environment = FIXED | {"PW": CANARY, "LEAT_RETENTION_RUNS": "90d", "PGPORT": "5433"}
    done = shop.run("config", "--origin", "-t", "prod", "-j", "3", env=environment).expect(0)
    assert done.stdout == (
        "# target prod (flag --target)\n"
        "name: shop                     # leat.yaml:1:7\n"
        "timezone: UTC                  # default\n"
        "lake: /srv/lake                # target prod leat.yaml:8:16\n"
        "state: /srv/state/state.db     # target prod leat.yaml:8:34\n"
        "connections:\n"
        "  crm:\n"
        "    type: postgres             # leat.yaml:3:15\n"
        "    host: prod.internal        # target prod leat.yaml:8:81\n"
        "    port: 5433                 # variable PGPORT\n"
        "    database: crm              # leat.yaml:3:68\n"
        "    user: reader               # leat.yaml:3:50\n"
        "    sslmode: verify-full       # default\n"
        '    password: "${PW}"          # variable PW\n'
        "  spare:\n"
        "    type: postgres             # leat.yaml:4:17\n"
        "    host: /var/run/postgresql  # default\n"
        "    port: 5433                 # variable PGPORT\n"
        "    database: zoedb            # variable PGDATABASE\n"
        "    user: zoe                  # variable PGUSER\n"
        "    sslmode: prefer            # default\n"
        "warehouse:\n"
        "  connection: spare            # leat.yaml:5:25\n"
        "  schema: public               # default\n"
        '  load: ["mart.*", "*.dim_*"]  # leat.yaml:5:38\n'
        "limits:\n"
        "  threads: 3                   # flag --threads\n"
        "  memory: 1GB                  # leat.yaml:6:30\n"
        "retention:\n"
        "  runs: 90d                    # variable LEAT_RETENTION_RUNS\n"
    )


def test_flags_then_environment_then_target_then_file_then_default(shop):
    assert origins(shop)["limits.threads"] == "leat.yaml:6:19"
    assert origins(shop, LEAT_LIMITS_THREADS="2")["limits.threads"] == "variable LEAT_LIMITS_THREADS"
    assert origins(shop, "-j", "5", LEAT_LIMITS_THREADS="2")["limits.threads"] == "flag --threads"
    assert origins(shop)["lake"] == "default"
    assert origins(shop, LEAT_TARGET="prod")["lake"].startswith("target prod leat.yaml:8:")
    assert origins(shop, LEAT_TARGET="prod", LEAT_LAKE="/tmp/x")["lake"] == "variable LEAT_LAKE"


def test_what_is_printed_can_be_pasted(shop):
    printed = shop.run("config", "-t", "prod", env=FIXED).expect(0).stdout
    (shop.cwd / "leat.yaml").write_text(printed)
    assert shop.run("config", env=FIXED).expect(0).stdout == printed
    done = shop.run("config", "--json", env=FIXED).expect(0).json()["data"]
    assert done["config"]["connections"]["crm"] == {
        "type": "postgres",
        "host": "prod.internal",
        "port": 5432,
        "database": "crm",
        "user": "reader",
        "sslmode": "verify-full",
        "password": "${PW}",
    }


def password_places(shop: Leat, tmp_path) -> dict[str, tuple[dict[str, str], str]]:
    """Environments in which connection spare gets the canary, each with the place that `config` has to name."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "spare.password").write_text(CANARY)
    pgpass = tmp_path / "passwords"
    pgpass.write_text(f"*:*:*:zoe:{CANARY}\n")
    pgpass.chmod(0o600)
    services = tmp_path / "services"
    services.write_text(f"[wh]\nhost=127.0.0.1\nport=1\npassword={CANARY}\n")
    return {
        "own variable": ({"LEAT_CONNECTIONS_SPARE_PASSWORD": CANARY}, "variable LEAT_CONNECTIONS_SPARE_PASSWORD"),
        "credentials": ({"CREDENTIALS_DIRECTORY": str(credentials)}, str(credentials / "spare.password")),
        "PGPASSWORD": ({"PGPASSWORD": CANARY}, "variable PGPASSWORD"),
        "password file": ({"PGPASSFILE": str(pgpass)}, str(pgpass)),
        "service": ({"PGSERVICE": "wh", "PGSERVICEFILE": str(services)}, "service wh"),
    }


def test_secrets_are_never_shown(shop, tmp_path):
    for name, (environment, place) in password_places(shop, tmp_path).items():
        # Port 1: nobody is there, so that the failing log-in is looked at too.
        environment = FIXED | {"PW": CANARY, "PGHOST": "127.0.0.1", "PGPORT": "1"} | environment
        assert origins(shop, **environment)["connections.spare.password"] == place, name
        for command in (
            ["config"],
            ["config", "--origin"],
            ["config", "--json"],
            ["connections"],
            ["connections", "--json"],
            ["connections", "test", "spare"],
            ["connections", "test", "spare", "--json"],
        ):
            done = shop.run(*command, env=environment)
            assert CANARY not in done.stdout + done.stderr, f"{name}\n{done}"


def test_a_password_that_nobody_has_names_the_places_looked_in(shop):
    done = shop.run("config", "--origin", env=FIXED).expect(0)
    assert re.search(r'password: "\$\{PW\}" +# not found; looked in LEAT_CONNECTIONS_CRM_PASSWORD \(not set\), PW \(not set\)\n', done.stdout)
    spare = shop.run("connections", "--json", env=FIXED).expect(0).json()["data"]["connections"][1]
    assert spare["connection"] == "spare"
    assert spare["password"]["origin"] is None
    assert spare["password"]["looked_in"][-2:] == ["PGPASSWORD (not set)", "~/.pgpass (absent)"]


DEFAULTS = "import psycopg, sys; [print(o.keyword.decode(), (o.val or b'').decode()) for o in psycopg.pq.Conninfo.get_defaults()]"


def test_libpq_would_take_the_same_values(shop, tmp_path):
    services = tmp_path / "services"
    services.write_text("[one]\nhost=one.internal\nport=6001\n")
    environment = {"PGSERVICE": "one", "PGSERVICEFILE": str(services), "PGUSER": "zoe", "PGDATABASE": "d", "PGSSLMODE": "require"}
    done = subprocess.run(
        [sys.executable, "-c", DEFAULTS], env={"PATH": os.environ["PATH"]} | environment, capture_output=True, text=True, check=True
    )
    wanted = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    answer = shop.run("config", "--json", env=environment).expect(0).json()["data"]
    got = answer["config"]["connections"]["spare"]
    assert {key: str(got[key]) for key in ("host", "port", "user", "database", "sslmode")} == {
        "host": wanted["host"],
        "port": wanted["port"],
        "user": wanted["user"],
        "database": wanted["dbname"],
        "sslmode": wanted["sslmode"],
    }
    assert answer["origins"]["connections.spare.host"] == "service one"
    assert answer["origins"]["connections.spare.sslmode"] == "variable PGSSLMODE"


def test_a_service_that_no_file_has_is_an_error(shop):
    done = shop.run("connections", env=FIXED | {"PGSERVICE": "nowhere"}).expect(2)
    assert 'error[LEAT0311]: connection "spare" has settings that cannot be used: ' in done.stderr
    assert "nowhere" in done.stderr

"""`leat lineage` on the shop: where tables and columns come from, and what uses them; after a run and before any."""

import os
import pathlib
import pty
import resource
import shutil
import subprocess
import textwrap

import pytest

from support.leat import Leat, Result
from support.shop import Shop

# A model above others: a column of two models, decided by columns of both.
PAID = """\
/* ---
key: currency_name
--- */
WITH newest AS (
  SELECT * FROM mart.fact_payment
  QUALIFY row_number() OVER (PARTITION BY payment_id ORDER BY payment_record_id DESC) = 1
)
SELECT
  c.currency_name,
  sum(CASE WHEN n.paid THEN n.payment_amount ELSE 0 END) AS paid_amount,
  count(*) AS payments
FROM newest n
JOIN mart.dim_currency c USING (currency_id)
GROUP BY ALL
"""


def _new_shop(pg, totesys_template, folder: pathlib.Path) -> Shop:
    made = Shop(pg, totesys_template, folder)
    made.init().expect(0)
    (made.project / "models" / "mart" / "paid_by_currency.sql").write_text(PAID, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def folders(pg, totesys_template, tmp_path_factory):
    """The same project twice, `loaded` after a run and `new` before any; the databases are gone."""
    shop = _new_shop(pg, totesys_template, tmp_path_factory.mktemp("lineage"))
    new = shop.project.parent / "new"
    shutil.copytree(shop.project, new)
    shop.run().expect(0)
    shop.drop()
    return {"loaded": shop.project, "new": new, "leat": shop.leat}


def lineage(folders, which: str, *args, **options) -> Result:
    return folders["leat"].run("lineage", *args, cwd=folders[which], **options)


def on_terminal(leat: Leat, folder: pathlib.Path, columns: int, language: str, *args) -> str:
    """What a person sees on a terminal that has no colours."""
    controller, terminal = pty.openpty()
    environment = leat.environment | {"COLUMNS": str(columns), "LANG": language, "TERM": "dumb"}
    program = subprocess.Popen(leat.arguments(*args), cwd=folder, env=environment, stdin=terminal, stdout=terminal)
    os.close(terminal)
    shown = b""
    try:
        while block := os.read(controller, 65536):
            shown += block
    except OSError:  # the way a terminal says that the program is gone
        pass
    os.close(controller)
    assert program.wait(timeout=60) == 0
    return shown.decode().replace("\r\n", "\n")


def text(expected: str) -> str:
    return textwrap.dedent(expected).lstrip("\n")


class TestAfterARun:
    def test_table_on_a_terminal_of_100_columns(self, folders):
        assert on_terminal(folders["leat"], folders["loaded"], 100, "C.UTF-8", "lineage", "mart.dim_staff") == text("""
            mart.dim_staff · table · models/mart/dim_staff.sql
              COMES FROM             HOW    WHERE
              ├─ totesys.department  reads  sources/totesys.yaml
              └─ totesys.staff       reads  sources/totesys.yaml
              USED BY                        HOW         WHERE
              ├─ warehouse.public.dim_staff  loads
              ├┄ mart.fact_purchase_orders   references  models/mart/fact_purchase_orders.sql
              └┄ mart.fact_sales_order       references  models/mart/fact_sales_order.sql
        """)

    def test_column_on_a_terminal_of_100_columns(self, folders):
        shown = on_terminal(folders["leat"], folders["loaded"], 100, "C.UTF-8", "lineage", "mart.paid_by_currency.paid_amount")
        assert shown == text("""
            mart.paid_by_currency.paid_amount · table · models/mart/paid_by_currency.sql:10
              = sum(CASE WHEN n.paid THEN n.payment_amount ELSE 0 END)
              COMES FROM                              HOW      WHERE
              ├─ mart.fact_payment.payment_amount     value    models/mart/fact_payment.sql:31
              │  └─ totesys.payment.payment_amount    value    sources/totesys.yaml
              ├┄ mart.dim_currency.currency_id        decides  models/mart/dim_currency.sql:10
              │  ├─ totesys.currency.currency_id      value    sources/totesys.yaml
              │  ├┄ seeds.iso_4217.alphabetic_code    decides  seeds/iso_4217.csv
              │  └┄ totesys.currency.currency_code    decides  sources/totesys.yaml
              ├┄ mart.dim_currency.currency_name      decides  models/mart/dim_currency.sql:13
                  = coalesce(iso.currency_name, c.currency_code)
              │  ├─ seeds.iso_4217.currency_name      value    seeds/iso_4217.csv
              │  ├─ totesys.currency.currency_code    value    sources/totesys.yaml
              │  └┄ seeds.iso_4217.alphabetic_code    decides  seeds/iso_4217.csv
              ├┄ mart.fact_payment.currency_id        decides  models/mart/fact_payment.sql:32
              │  └─ totesys.payment.currency_id       value    sources/totesys.yaml
              ├┄ mart.fact_payment.paid               decides  models/mart/fact_payment.sql:34
              │  └─ totesys.payment.paid              value    sources/totesys.yaml
              ├┄ mart.fact_payment.payment_id         decides  models/mart/fact_payment.sql:24
              │  └─ totesys.payment.payment_id        value    sources/totesys.yaml
              └┄ mart.fact_payment.payment_record_id  decides  models/mart/fact_payment.sql     numbered by leat
              USED BY                                           HOW    WHERE
              └─ warehouse.public.paid_by_currency.paid_amount  loads
        """)

    def test_column_on_a_terminal_of_60_columns_without_unicode(self, folders):
        shown = on_terminal(folders["leat"], folders["loaded"], 60, "C", "lineage", "mart.paid_by_currency.paid_amount")
        assert shown == text("""
            mart.paid_by_currency.paid_amount - table - models/mart/paid_by_currency.sql:10
              = sum(CASE WHEN n.paid THEN n.payment_amount ELSE 0 END)
              COMES FROM                              HOW
              |- mart.fact_payment.payment_amount     value
              |  `- totesys.payment.payment_amount    value
              |. mart.dim_currency.currency_id        decides
              |  |- totesys.currency.currency_id      value
              |  |. seeds.iso_4217.alphabetic_code    decides
              |  `. totesys.currency.currency_code    decides
              |. mart.dim_currency.currency_name      decides
                  = coalesce(iso.currency_name, c.currency_code)
              |  |- seeds.iso_4217.currency_name      value
              |  |- totesys.currency.currency_code    value
              |  `. seeds.iso_4217.alphabetic_code    decides
              |. mart.fact_payment.currency_id        decides
              |  `- totesys.payment.currency_id       value
              |. mart.fact_payment.paid               decides
              |  `- totesys.payment.paid              value
              |. mart.fact_payment.payment_id         decides
              |  `- totesys.payment.payment_id        value
              `. mart.fact_payment.payment_record_id  decides
                  numbered by leat
              USED BY                                           HOW
              `- warehouse.public.paid_by_currency.paid_amount  loads
        """)

    def test_source_column_off_a_terminal(self, folders):
        assert lineage(folders, "loaded", "totesys.currency.currency_code").expect(0).stdout == text("""
            totesys.currency.currency_code · stream · sources/totesys.yaml
              COMES FROM  HOW  WHERE
              –                       read from its source
              USED BY                                                   HOW      WHERE
              ├─ mart.dim_currency.currency_code                        value    models/mart/dim_currency.sql:11
              │  ├─ checks/currency_is_known_to_iso.sql                 checks
              │  └─ warehouse.public.dim_currency.currency_code         loads
              ├─ mart.dim_currency.currency_name                        value    models/mart/dim_currency.sql:13      = coalesce(iso.currency_name, c.currency_code)
              │  ├─ mart.paid_by_currency.currency_name                 value    models/mart/paid_by_currency.sql:9
              │  │  └─ warehouse.public.paid_by_currency.currency_name  loads
              │  ├─ warehouse.public.dim_currency.currency_name         loads
              │  ├┄ mart.paid_by_currency.paid_amount                   decides  models/mart/paid_by_currency.sql:10  = sum(CASE WHEN n.paid THEN n.payment_amount ELSE 0 END)
              │  │  └─ warehouse.public.paid_by_currency.paid_amount    loads
              │  └┄ mart.paid_by_currency.payments                      decides  models/mart/paid_by_currency.sql:11  = count(*)
              │     └─ warehouse.public.paid_by_currency.payments       loads
              └┄ mart.dim_currency.currency_id                          decides  models/mart/dim_currency.sql:10
                 ├─ checks/currency_is_known_to_iso.sql                 checks
                 ├─ warehouse.public.dim_currency.currency_id           loads
                 ├┄ mart.paid_by_currency.currency_name                 decides  models/mart/paid_by_currency.sql:9   see above
                 ├┄ mart.paid_by_currency.paid_amount                   decides  models/mart/paid_by_currency.sql:10  see above
                 └┄ mart.paid_by_currency.payments                      decides  models/mart/paid_by_currency.sql:11  see above
        """)

    def test_dot(self, folders):
        assert lineage(folders, "loaded", "mart.dim_staff.location", "--dot").expect(0).stdout == text("""
            digraph lineage {
              rankdir=LR;
              node [shape=box];
              "mart.dim_staff.location" [tooltip="coalesce(d.location, 'Unknown')", penwidth=2];
              "totesys.department.department_id" [tooltip="stream"];
              "totesys.department.location" [tooltip="stream"];
              "totesys.staff.department_id" [tooltip="stream"];
              "warehouse.public.dim_staff.location" [tooltip="warehouse"];
              "mart.dim_staff.location" -> "warehouse.public.dim_staff.location" [tooltip=loads];
              "totesys.department.department_id" -> "mart.dim_staff.location" [tooltip=decides, style=dashed];
              "totesys.department.location" -> "mart.dim_staff.location" [tooltip=value];
              "totesys.staff.department_id" -> "mart.dim_staff.location" [tooltip=decides, style=dashed];
            }
        """)

    def test_json(self, folders):
        assert lineage(folders, "loaded", "mart.dim_staff.location", "--json").expect(0).json()["data"] == {
            "subject": "mart.dim_staff.location",
            "nodes": [
                self.node("mart.dim_staff", "location", "table", "models/mart/dim_staff.sql", 14, "coalesce(d.location, 'Unknown')"),
                self.node("totesys.department", "department_id", "stream", "sources/totesys.yaml"),
                self.node("totesys.department", "location", "stream", "sources/totesys.yaml"),
                self.node("totesys.staff", "department_id", "stream", "sources/totesys.yaml"),
                self.node("warehouse.public.dim_staff", "location", "warehouse", None),
            ],
            "edges": [
                {"from": "mart.dim_staff.location", "to": "warehouse.public.dim_staff.location", "how": "loads"},
                {"from": "totesys.department.department_id", "to": "mart.dim_staff.location", "how": "decides"},
                {"from": "totesys.department.location", "to": "mart.dim_staff.location", "how": "value"},
                {"from": "totesys.staff.department_id", "to": "mart.dim_staff.location", "how": "decides"},
            ],
        }

    @staticmethod
    def node(table, column, kind, file, line=None, expression=None):
        places = {"expression": expression, "file": file, "line": line}
        return {"id": f"{table}.{column}", "table": table, "column": column, "kind": kind} | places | {"unknown": False, "note": None}

    def test_versions_are_their_stream(self, folders):
        assert "totesys.payment.payment_amount" in lineage(folders, "loaded", "mart.fact_payment.payment_amount").stdout
        history = lineage(folders, "loaded", "totesys.payment__history.payment_amount").expect(0).stdout
        assert history == lineage(folders, "loaded", "totesys.payment.payment_amount").stdout
        lineage(folders, "loaded", "totesys.payment._leat_seq").expect(0)

    @pytest.mark.parametrize(
        "subject, message",
        {
            "mart.dim_stafff": """
                error[LEAT0224]: no table of the project is called 'mart.dim_stafff'
                  = help: did you mean mart.dim_staff?
                  = more: leat explain LEAT0224
                """,
            "totesys.staff.first_nam": """
                error[LEAT0225]: totesys.staff has no column 'first_nam'
                  = help: did you mean first_name?
                  = more: leat explain LEAT0225
                """,
        }.items(),
    )
    def test_unknown_names(self, folders, subject, message):
        assert lineage(folders, "loaded", subject).expect(2).stderr == text(message)

    def test_answers_in_a_blink(self, folders):
        def cpu_s() -> float:
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            return used.ru_utime + used.ru_stime

        durations = []
        for _ in range(3):
            before = cpu_s()
            lineage(folders, "loaded", "mart.paid_by_currency.paid_amount").expect(0)
            durations.append(cpu_s() - before)
        assert min(durations) <= 0.15


class TestBeforeARun:
    def test_sources_are_told_as_unknown(self, folders):
        assert lineage(folders, "new", "mart.dim_staff.location").expect(0).stdout == text("""
            mart.dim_staff.location · table · models/mart/dim_staff.sql:14
              = coalesce(d.location, 'Unknown')
              COMES FROM                           HOW      WHERE
              ├─ totesys.department.location       value    sources/totesys.yaml  as SQL names it; its table was never loaded
              ├┄ totesys.department.department_id  decides  sources/totesys.yaml  as SQL names it; its table was never loaded
              └┄ totesys.staff.department_id       decides  sources/totesys.yaml  as SQL names it; its table was never loaded
              USED BY                                 HOW    WHERE
              └─ warehouse.public.dim_staff.location  loads
        """)

    def test_a_stream_has_unknown_columns(self, folders):
        assert lineage(folders, "new", "totesys.department").expect(0).stdout == text("""
            totesys.department · stream · sources/totesys.yaml
              ? its columns are known after the first run
              COMES FROM  HOW  WHERE
              –                       read from its source
              USED BY                                HOW     WHERE
              ├─ checks/department_has_location.sql  checks
              └─ mart.dim_staff                      reads   models/mart/dim_staff.sql
                 └─ warehouse.public.dim_staff       loads
        """)

    def test_a_star_hides_names_until_its_table_is_loaded(self, folders):
        model = folders["new"] / "models" / "mart" / "addresses.sql"
        model.write_text("SELECT *, upper(country) AS land FROM totesys.address\n", encoding="utf-8")
        try:
            table = lineage(folders, "new", "mart.addresses", "--json").expect(0).json()["data"]
            land = lineage(folders, "new", "mart.addresses.land", "--json").expect(0).json()["data"]
        finally:
            model.unlink()
        node = next(node for node in table["nodes"] if node["id"] == "mart.addresses")
        assert node["unknown"] and node["note"] == "it has columns whose names are not known"
        edges = {(edge["from"], edge["to"], edge["how"]) for edge in land["edges"]}
        assert ("totesys.address.country", "mart.addresses.land", "value") in edges

    def test_nothing_is_connected_or_written(self, folders):
        before = sorted(folders["new"].rglob("*"))
        lineage(folders, "new", "mart.fact_payment").expect(0)
        assert sorted(folders["new"].rglob("*")) == before

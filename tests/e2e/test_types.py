"""Every type of PostgreSQL in the lake: one table with all of them, read by PyIceberg and compared with psycopg's values."""

import dataclasses
import re
import struct

import pyarrow
import pytest

from support.project import Project, diagnostics, streams
from support.warehouses import sent

# Exact text depends on the session; leat's is this one.
SESSION = """SET search_path = pg_catalog; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = postgres; SET lc_monetary = 'C';
             SET bytea_output = hex; SET extra_float_digits = 1"""


@dataclasses.dataclass
class Kind:
    """A type: literals of it, how psycopg is asked for a value `x`, and the column that the lake has for it."""

    sql: str
    literals: list[str]
    lake: pyarrow.DataType
    value: str = "x"

    def ask(self, column: str) -> str:
        return re.sub(r"\bx\b", column, self.value)

    def ask_list(self, column: str) -> str:
        if self.value == "x::text":
            return f"{column}::text[]"  # unnest would part composites
        values = f"ARRAY(SELECT {self.value} FROM unnest({column}) WITH ORDINALITY u (x, place) ORDER BY place)"
        return f"CASE WHEN {column} IS NOT NULL THEN {values} END"

    def cell(self, row: int) -> str:
        """A literal a row, then NULL."""
        return f"({self.literals[row]})::{self.sql}" if row < len(self.literals) else "NULL"

    def list_cell(self, row: int, rows: int) -> str:
        """All literals, then one each, then none, at last NULL."""
        if row in (0, rows - 1):
            every = [self.cell(i) for i in range(len(self.literals))] + ["NULL"]
            return f"ARRAY[{', '.join(every)}]::{self.sql}[]" if row == 0 else "NULL"
        return f"ARRAY[{self.cell(row)}]::{self.sql}[]" if row < len(self.literals) else "'{}'"


def text(sql: str, *literals: str) -> Kind:
    """A type that is promised as its exact text."""
    return Kind(sql, [f"'{literal}'" for literal in literals], pyarrow.large_string(), "x::text")


TEXT = ["''", "'a'", "'exactly 12 b'", "'thirteen byte'", "repeat('long ', 5000)", "'größe 日本 🚚'", "E'\\t\\n\"\\\\{},NULL'"]
MICROSECONDS = "(extract(epoch FROM x) * 1000000)::bigint"
DAYS = "x - DATE '1970-01-01'"

KINDS = {
    # As themselves.
    "bool": Kind("boolean", ["true", "false"], pyarrow.bool_()),
    "int2": Kind("smallint", ["-32768", "0", "32767"], pyarrow.int32()),
    "int4": Kind("integer", ["-2147483648", "0", "2147483647"], pyarrow.int32()),
    "int8": Kind("bigint", ["-9223372036854775808", "0", "9223372036854775807"], pyarrow.int64()),
    "float4": Kind(
        "real", ["'NaN'", "'-Infinity'", "'Infinity'", "0.1", "'-0'", "1e-45", "3.4028235e38"], pyarrow.float32(), "x::float8"
    ),
    "float8": Kind(
        "float8", ["'NaN'", "'-Infinity'", "'Infinity'", "0.1", "'-0'", "5e-324", "1.7976931348623157e308"], pyarrow.float64()
    ),
    "n_10_2": Kind("numeric(10,2)", ["-99999999.99", "0", "99999999.99"], pyarrow.decimal128(10, 2)),
    "n_38_38": Kind("numeric(38,38)", ["0." + "9" * 38, "-0." + "1" * 38], pyarrow.decimal128(38, 38)),
    "n_38_0": Kind("numeric(38,0)", ["9" * 38, "-" + "9" * 38], pyarrow.decimal128(38, 0)),
    "n_3_5": Kind("numeric(3,5)", ["0.00999", "-0.00001"], pyarrow.decimal128(5, 5)),
    "n_2_minus_3": Kind("numeric(2,-3)", ["99000", "-1000"], pyarrow.decimal128(5, 0)),
    "n_60_20": Kind("numeric(60,20)", ["9" * 18 + ".00000000000000000001"], pyarrow.decimal128(38, 20)),
    "n_bare": Kind("numeric", ["0.000000001", "9" * 29, "-12.5"], pyarrow.decimal128(38, 9)),
    "t_text": Kind("text", TEXT, pyarrow.large_string()),
    "t_varchar": Kind("varchar(30000)", TEXT, pyarrow.large_string()),
    "t_bpchar": Kind("char(5)", ["'ab'", "''", "'日本'"], pyarrow.large_string()),
    "t_name": Kind("name", ["'select'", f"'{'n' * 63}'"], pyarrow.large_string()),
    "t_char": Kind('"char"', ["'a'", "''"], pyarrow.large_string()),
    "t_bytea": Kind("bytea", ["''", "'\\x00ff'", f"'\\x{bytes(range(256)).hex()}'"], pyarrow.large_binary()),
    "t_uuid": Kind("uuid", [f"'{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}'" for digit in "08f"], pyarrow.uuid()),
    "t_date": Kind("date", ["'4714-11-24 BC'", "'1969-12-31'", "'2024-02-29'", "'5874897-12-31'"], pyarrow.date32(), DAYS),
    "t_time": Kind("time", ["'00:00'", "'23:59:59.999999'"], pyarrow.time64("us"), MICROSECONDS),
    "t_timestamp": Kind(
        "timestamp",
        ["'4714-11-24 BC'", "'1969-12-31 23:59:59.999999'", "'294247-01-10 04:00:54.775806'"],
        pyarrow.timestamp("us"),
        MICROSECONDS,
    ),
    "t_timestamptz": Kind(
        "timestamptz",
        ["'4714-11-24 00:00+00 BC'", "'2024-03-31 01:30+02'", "'294247-01-10 04:00:54.775806+00'"],
        pyarrow.timestamp("us", "UTC"),
        MICROSECONDS,
    ),
    # As their text.
    "t_json": text("json", '{"b": 1,  "a": [1, 2.50]}', "null"),
    "t_jsonb": text("jsonb", '{"b": 1,  "a": [1, 2.50]}', "null", '"é"'),
    "n_60_50": text("numeric(60,50)", "1." + "3" * 50),
    "mood": text("public.mood", "sad", "so, \"la\"", "fine"),
    "t_interval": text("interval", "1 year -2 mons 3 days 04:05:06.000007", "-178000000 years", "0"),
    "t_timetz": text("timetz", "12:00:00.5+05:30", "24:00:00-12"),
    "t_money": text("money", "-92233720368547758.08", "1,234.50"),
    "t_inet": text("inet", "10.0.0.1/8", "::1", "10.0.0.1"),
    "t_cidr": text("cidr", "10.0.0.0/8", "2001:db8::/32"),
    "t_macaddr": text("macaddr", "08:00:2b:01:02:03"),
    "t_macaddr8": text("macaddr8", "08:00:2b:01:02:03:04:05"),
    "t_bit": text("bit(5)", "10101"),
    "t_varbit": text("varbit", "", "1", "0" * 70),
    "t_xml": text("xml", "<a b=\"1\">é</a>"),
    "t_tsvector": text("tsvector", "a:1 fat:2A cat"),
    "t_tsquery": text("tsquery", "fat & (rat | !cat)"),
    "t_jsonpath": text("jsonpath", "$.a[*] ? (@ > 1)"),
    "t_point": text("point", "(1.5,-2)"),
    "t_line": text("line", "{1,2,3}"),
    "t_lseg": text("lseg", "[(0,0),(1,1)]"),
    "t_box": text("box", "(1,1),(0,0)"),
    "t_path": text("path", "((0,0),(1,1))", "[(0,0),(1,1)]"),
    "t_polygon": text("polygon", "((0,0),(1,1),(1,0))"),
    "t_circle": text("circle", "<(0,0),1.5>"),
    "lsn": text("pg_lsn", "16/B374D848"),
    "t_oid": text("oid", "0", "4294967295"),
    "t_xid": text("xid", "4294967295"),
    "t_xid8": text("xid8", "18446744073709551615"),
    "t_tid": text("tid", "(4294967295,65535)"),
    "t_regclass": text("regclass", "pg_class", "everything"),
    "t_regtype": text("regtype", "timestamp with time zone"),
    "t_regproc": text("regproc", "now"),
    "t_int2vector": text("int2vector", "1 2 3"),
    "t_oidvector": text("oidvector", "1 2 3"),
    "snapshot": text("pg_snapshot", "10:20:10,14,15"),
    "t_int4range": text("int4range", "[1,10)", "empty", "(,5)"),
    "t_numrange": text("numrange", "[1.50,NaN]"),
    "t_tstzrange": text("tstzrange", "[2024-01-01 00:00+02,infinity)"),
    "t_int4multirange": text("int4multirange", "{[1,3),[5,9)}", "{}"),
    "pair": text("public.pair", '(1,"a ""quoted"", (text)")', "(,)"),
    "t_hstore": text("public.hstore", "a=>1, b=>NULL"),
    "t_citext": text("public.citext", "MiXed"),
    "own": text("public.own", "-17"),
    # Domains as what they are based on.
    "d_int": Kind("public.d_int", ["1", "100"], pyarrow.int32(), "x::int"),
    "d_numeric": Kind("public.d_numeric", ["12.34"], pyarrow.decimal128(8, 2), "x::numeric"),
    "d_over_d": Kind("public.d_over_d", ["56.78"], pyarrow.decimal128(8, 2), "x::numeric"),
    "d_text": Kind("public.d_text", ["'a'", "'b'"], pyarrow.large_string(), "x::text"),
    "d_mood": text("public.d_mood", "fine"),
    "d_interval": text("public.d_interval", "1 day"),
}

SETUP = """
CREATE EXTENSION hstore; CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'so, "la"', 'fine');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE own;
CREATE FUNCTION own_in(cstring) RETURNS own LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION own_out(own) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE own (INPUT = own_in, OUTPUT = own_out, LIKE = int4);
CREATE DOMAIN d_int AS int CHECK (VALUE > 0); CREATE DOMAIN d_numeric AS numeric(8,2);
CREATE DOMAIN d_over_d AS d_numeric CHECK (VALUE > 0); CREATE DOMAIN d_text AS text;
CREATE DOMAIN d_mood AS mood; CREATE DOMAIN d_interval AS interval; CREATE DOMAIN d_array AS numeric(6,1)[];
"""
# Arrays that are not just one of a kind above.
ARRAYS = {
    "d_array": Kind("d_array", ["'{1.5,NULL}'", "'{}'"], pyarrow.list_(pyarrow.decimal128(6, 1)), "x::numeric[]"),
    "of_d_array": Kind("d_array[]", ["""'{"{1.5,NULL}",NULL}'"""], pyarrow.list_(pyarrow.large_string()), "x::text[]"),
}


def tables() -> str:
    """`everything`, its copy without a key, and what they are made of."""
    rows = max(len(kind.literals) for kind in KINDS.values()) + 2
    columns = ["id int PRIMARY KEY"]
    for name, kind in KINDS.items():
        columns += [f"{name} {kind.sql}", f"{name}_list {kind.sql}[]"]
    columns += [f"{name} {kind.sql}" for name, kind in ARRAYS.items()]
    statements = [SETUP, f"CREATE TABLE everything ({', '.join(columns)})"]
    for row in range(rows):
        cells = [str(row)]
        for kind in KINDS.values():
            cells += [kind.cell(row), kind.list_cell(row, rows)]
        cells += [kind.cell(row) for kind in ARRAYS.values()]
        statements.append(f"INSERT INTO everything VALUES ({', '.join(cells)})")
    return ";\n".join([*statements, "CREATE TABLE keyless AS TABLE everything"])


def plain(values: pyarrow.ChunkedArray) -> list:
    """Days and microseconds as numbers, since Python's calendar ends at 9999; bits of floating point; the rest as it is."""
    is_list = pyarrow.types.is_list(values.type) or pyarrow.types.is_large_list(values.type)
    number = _number(values.type.value_type if is_list else values.type)
    if number:
        values = values.cast(pyarrow.list_(number) if is_list else number)
    return [_bits(value) for value in values.to_pylist()]


def _number(kind: pyarrow.DataType) -> pyarrow.DataType | None:
    if pyarrow.types.is_date32(kind):
        return pyarrow.int32()
    return pyarrow.int64() if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_time64(kind) else None


def _bits(value):
    if isinstance(value, float):
        return "NaN" if value != value else struct.pack(">d", value)
    return [_bits(part) for part in value] if isinstance(value, list) else value


def expected(project: Project, table: str) -> dict[str, list]:
    """By psycopg, in the order of `id`."""
    asked = {}
    for name, kind in KINDS.items():
        asked |= {name: kind.ask(name), f"{name}_list": kind.ask_list(f"{name}_list")}
    asked |= {name: kind.ask(name) for name, kind in ARRAYS.items()}
    with project.source.connect() as connection:
        connection.execute(SESSION)
        rows = connection.execute(f"SELECT {', '.join(asked.values())} FROM public.{table} ORDER BY id").fetchall()
    return {name: [_bits(row[i]) for row in rows] for i, name in enumerate(asked)}


def in_lake(project: Project, table: str) -> pyarrow.Table:
    """The current rows in the order of `id`."""
    with project.lake() as lake:
        found = lake.arrow(f"src.{table}__history").sort_by([("_leat_seq", "descending")])
    seen, newest = set(), []
    for i, key in enumerate(found["id"].to_pylist()):
        if key not in seen:
            newest.append(i)
        seen.add(key)
    return found.take(newest).sort_by("id")


def differences(project: Project, table: str) -> dict[str, tuple]:
    found, wanted = in_lake(project, table), expected(project, table)
    return {name: (plain(found[name]), values) for name, values in wanted.items() if plain(found[name]) != values}


@pytest.fixture(scope="module")
def everything(pg, tmp_path_factory):
    project = Project(pg, tmp_path_factory.mktemp("types"), tables(), warehouse=False)
    project.run().expect(0)
    yield project
    project.drop()


def test_every_value_of_every_type_arrives(everything):
    assert differences(everything, "everything") == {}
    assert differences(everything, "keyless") == {}


def test_every_type_has_its_column(everything):
    found = in_lake(everything, "everything").schema
    kinds = {name: kind.lake for name, kind in KINDS.items()} | {name: kind.lake for name, kind in ARRAYS.items()}
    kinds |= {f"{name}_list": pyarrow.list_(kind.lake) for name, kind in KINDS.items()}

    def shape(kind):
        """Text and lists of 32 and of 64 bits are one."""
        if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
            return f"[{shape(kind.value_type)}]"
        return str(kind).replace("large_", "")

    assert {name: shape(found.field(name).type) for name in kinds} == {name: shape(kind) for name, kind in kinds.items()}
    with everything.lake() as lake:
        properties = lake.table("src.everything__history").properties
        ids = {field.name: field.field_id for field in lake.table("src.everything__history").schema().fields}
    source_types = {
        "int2": "smallint",
        "n_10_2_list": "numeric(10,2)[]",
        "d_over_d": "numeric(8,2)",
        "mood": "public.mood",
        "pair_list": "public.pair[]",
    }
    assert {name: properties.get(f"leat.source_type.{ids[name]}") for name in source_types} == source_types


def test_changes_of_every_type_are_seen_and_nothing_else(everything):
    assert "nothing changed" in everything.run().expect(0).stdout
    # Each row gets the scalars of the one behind it.
    moved = ", ".join(f"{name} = o.{name}" for name in KINDS)
    next_row = "o.id = (e.id + 1) % (SELECT count(*) FROM everything)"
    everything.execute(f"UPDATE everything e SET {moved} FROM everything o WHERE {next_row}")
    everything.execute("UPDATE everything SET int4_list = int4_list || 7, t_text_list = NULL, n_bare_list = '{}' WHERE id < 2")
    everything.run().expect(0)
    assert differences(everything, "everything") == {}


@pytest.mark.parametrize("read", ["changes", "full"])
def test_zeros_keep_their_signs(make, read):
    project = make(
        """CREATE TABLE zeros (id int PRIMARY KEY, f float8, r real, l float8[]);
           INSERT INTO zeros SELECT i, z, z, ARRAY[z, 1, -z] FROM generate_series(1, 3000) i,
             LATERAL (SELECT CASE WHEN i % 2 = 0 THEN 0 ELSE '-0'::float8 END) s (z)""",
        warehouse=True,
    )
    streams(project, f"zeros: {{read: {read}}}")
    project.write("leat.yaml", project.settings().replace('load: ["mart.*"]', 'load: ["src.zeros", "mart.*"]'))
    project.model("dim_zeros", "SELECT id, f, r, l FROM src.zeros\n", "key: id")

    def expect_as_at_the_source() -> None:
        asked = "SELECT id, f, r::float8 AS r, l FROM {} ORDER BY id"
        wanted = [_bits(list(row)) for row in project.source.rows(asked.format("zeros"))]
        found = in_lake(project, "zeros").select(["id", "f", "r", "l"]).to_pylist()
        assert [_bits(list(row.values())) for row in found] == wanted
        for table in ("zeros", "dim_zeros"):
            assert [_bits(list(row)) for row in project.warehouse.rows(asked.format(table))] == wanted

    project.run().expect(0)
    expect_as_at_the_source()
    project.execute("UPDATE zeros SET f = '-0' WHERE id = 10; UPDATE zeros SET r = 0 WHERE id = 11")
    # By the last one the model changes too: its hash does not see the signs.
    project.execute("UPDATE zeros SET l = '{0,1,0}' WHERE id = 12; UPDATE zeros SET f = 2 WHERE id = 13")
    assert sent(project.run().expect(0), "src.zeros") == (4, 0)
    expect_as_at_the_source()


# --- what does not fit -----------------------------------------------------------------------------------------------------

LATE = "expected one up to 294247-01-10 04:00:54.775806"
UNFIT = [
    ("numeric", "'NaN'", "NaN; expected a number"),
    ("numeric", "'-Infinity'", "-Infinity; expected a number"),
    ("numeric", "1e39", "1" + "0" * 39 + "; expected at most 29 digits before the point"),
    ("numeric", "0.0000000001", "0.0000000001; expected at most 9 digits after the point"),
    ("numeric(40,0)", "1" + "0" * 39, "1" + "0" * 39 + "; expected at most 38 digits before the point"),
    ("numeric", "('1' || repeat('0', 200))::numeric", "1" + "0" * 78 + "…; expected at most 29 digits before the point"),
    ("date", "'infinity'", "infinity; expected a finite day"),
    ("timestamp", "'-infinity'", "-infinity; expected a finite moment"),
    ("timestamp", "'294276-12-31 23:59:59'", f"a moment of 294276-12-31; {LATE}"),
    ("timestamptz", "'294276-12-31 23:59:59+00'", f"a moment of 294276-12-31; {LATE}"),
    ("time", "'24:00'", "24:00:00; expected a time before it"),
    ("int[]", "'{{1,2},{3,4}}'", "an array of 2 dimensions; expected one dimension"),
    ("text[]", """'[0:1]={a,"{{b"}'""", "an array whose first index is 0; expected 1"),
    ("numeric[]", "'{1,NaN,NULL}'", "NaN in an array; expected a number"),
    ("timestamptz[]", "'{294276-12-31}'", f"a moment of 294276-12-31 in an array; {LATE}"),
]


@pytest.fixture
def unfit(make):
    statements = []
    for number, (kind, value, _) in enumerate(UNFIT):
        statements.append(f"""CREATE TABLE t{number} (id text PRIMARY KEY, v {kind});
                              INSERT INTO t{number} VALUES ('it''s', {value}), ('null', NULL)""")
    return make(";".join([*statements, "CREATE TABLE good (id int PRIMARY KEY)"]))


def test_value_that_does_not_fit_is_told_with_its_key_and_taken_as_text(unfit):
    done = unfit.run("--json").expect(1).json()
    told = {found["message"]: found for found in done["diagnostics"]}
    assert set(told) == {f"public.t{number}.v holds {says}" for number, (_, _, says) in enumerate(UNFIT)}
    for found in told.values():
        assert (found["code"], found["notes"]) == ("LEAT0401", ["in the rows with key (id) = (it's)"])
        assert found["help"][0].endswith("take the column as text by  columns: {types: {v: VARCHAR}}")
    assert set(unfit.snapshots()) == {"src.good__history"}
    streams(unfit, '"*": {}', '"t*": {columns: {types: {v: VARCHAR}}}')
    unfit.run().expect(0)
    with unfit.source.connect() as connection:
        connection.execute(SESSION)
        for number in range(len(UNFIT)):
            wanted = connection.execute(f"SELECT id, v::text FROM public.t{number}").fetchall()
            assert unfit.lake_rows(f"src.t{number}__history", "id", "v") == sorted(wanted, key=repr)


# --- types that the project chooses ------------------------------------------------------------------------------------------


def lake_type(project: Project, table: str, column: str) -> str:
    with project.lake() as lake:
        return str(lake.table(f"src.{table}__history").schema().find_field(column).field_type)


def test_chosen_types_accept_what_would_not_fit(make):
    project = make(
        """CREATE TABLE k (id smallint PRIMARY KEY, a numeric, b numeric, c bigint, d numeric[], e real, f int[]);
           INSERT INTO k VALUES (1, 'NaN', 1e-20, 9223372036854775807, '{NaN,0.1,NULL}', 1.5, '{{1,2},{3,4}}'),
                                (2, 1e300, 2, -1, '{}', 'NaN', NULL)"""
    )
    chosen = '{id: bigint, a: DOUBLE, b: "decimal(38, 20)", c: "DECIMAL(20,0)", d: "DOUBLE[]", e: DOUBLE, f: VARCHAR}'
    streams(project, f"k: {{columns: {{types: {chosen}}}}}")
    project.run().expect(0)
    assert {name: lake_type(project, "k", name) for name in "abcdef"} == {
        "a": "double", "b": "decimal(38, 20)", "c": "decimal(20, 0)", "d": "list<double>", "e": "double", "f": "string",
    }  # fmt: skip
    assert lake_type(project, "k", "id") == "long"
    asked = "a::float8, b, c, d::float8[], e::float8, f::text"
    wanted = [tuple(map(_bits, row)) for row in project.source.rows(f"SELECT {asked} FROM k ORDER BY id")]
    with project.lake() as lake:
        found = lake.arrow("src.k__history").sort_by("id").to_pylist()
    assert [tuple(_bits(row[name]) for name in "abcdef") for row in found] == wanted


def test_chosen_type_of_a_column_that_is_there(make):
    project = make("CREATE TABLE k (id int PRIMARY KEY, v int, n numeric); INSERT INTO k VALUES (1, 5, 1.5), (2, 6, 2.5)")
    project.run().expect(0)
    # A type that holds all values of before is taken at once; no version is made of the same numbers.
    streams(project, "k: {columns: {types: {v: BIGINT}}}")
    project.run().expect(0)
    assert lake_type(project, "k", "v") == "long"
    assert project.versions("src.k", "id", "v") == [("u", 1, 5), ("u", 2, 6)]
    # Any other goes into a column of its own.
    project.execute("INSERT INTO k VALUES (3, 7, 'NaN')")
    streams(project, "k: {columns: {types: {v: BIGINT, n: VARCHAR}}}")
    done = project.run().expect(1)
    assert "error[LEAT0410]: src.k: column n is VARCHAR now and was DECIMAL(38,9)" in diagnostics(done)
    assert 'take it over as a column of its own by  rename: {"n": n_2}' in diagnostics(done)
    assert len(project.versions("src.k", "id")) == 2
    streams(project, 'k: {rename: {"n": n_2}, columns: {types: {v: BIGINT, n: VARCHAR}}}')
    project.run().expect(0)
    assert sorted(project.query("SELECT id, v, n_2 FROM src.k")) == ["1,5,1.5", "2,6,2.5", "3,7,NaN"]


def test_array_of_integers_widens_like_an_integer(make):
    project = make("CREATE TABLE k (id int PRIMARY KEY, v int[]); INSERT INTO k VALUES (1, '{1,NULL}'), (2, '{}')")
    project.run().expect(0)
    project.execute("ALTER TABLE k ALTER v TYPE bigint[]; UPDATE k SET v = '{5000000000}' WHERE id = 2")
    project.run().expect(0)
    assert lake_type(project, "k", "v") == "list<long>"
    assert project.versions("src.k", "id", "v") == [("u", 1, [1, None]), ("u", 2, []), ("u", 2, [5000000000])]


def test_chosen_type_that_is_impossible_is_refused(make):
    project = make("CREATE TABLE k (id int PRIMARY KEY, v timestamp, n numeric(5,1)); CREATE TABLE ok (id int PRIMARY KEY)")
    streams(project, '"*": {}', "k: {columns: {types: {v: DATE}}}")
    assert diagnostics(project.run().expect(1)) == (
        "error[LEAT0422]: column v of k is timestamp without time zone and cannot be taken as DATE; expected one of VARCHAR\n"
        "  ┌─ sources/src.yaml:5:28\n"
        "3 │ streams:\n"
        '4 │   "*": {}\n'
        "5 │   k: {columns: {types: {v: DATE}}}\n"
        "  │                            ^^^^\n"
        "  = help: take its exact text by  columns: {types: {v: VARCHAR}}  and cast it in a model\n"
        "  = more: leat explain LEAT0422"
    )
    assert set(project.snapshots()) == {"src.ok__history"}
    for wanted in ("nonsense", '"DECIMAL(39,2)"', '"DECIMAL(5,6)"', "FLOAT", '"VARCHAR[]"'):
        streams(project, '"*": {}', f"k: {{columns: {{types: {{n: {wanted}}}}}}}")
        said = diagnostics(project.run().expect(1)).splitlines()[0]
        assert said.startswith("error[LEAT0422]: column n of k is numeric(5,1) and cannot be taken as "), said
        assert said.endswith("; expected one of DECIMAL(38,0), DOUBLE, VARCHAR"), said


def test_type_that_would_make_one_key_of_two_is_refused(make):
    project = make(
        """CREATE TABLE k (id bigint PRIMARY KEY); INSERT INTO k VALUES (9007199254740992), (9007199254740993);
           CREATE TABLE small (id int, n numeric(15,2), PRIMARY KEY (id, n)); INSERT INTO small VALUES (1, 1.01), (1, 1.02)"""
    )
    streams(project, "k: {columns: {types: {id: DOUBLE}}}", "small: {columns: {types: {id: DOUBLE, n: DOUBLE}}}")
    told = diagnostics(project.run().expect(1))
    assert "error[LEAT0422]: key column id of k is bigint; as DOUBLE two of its values may become one" in told
    assert "help: choose DECIMAL(38,0) or VARCHAR, or leave out its type" in told
    assert project.lake_rows("src.small__history", "id", "n") == [(1.0, 1.01), (1.0, 1.02)]

import os, pty, re, subprocess, select
import pytest
from support.project import Project, streams

def shown(project, *args, code=0):
    parent, child = pty.openpty()
    env = project.leat.environment | {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "xterm"}
    done = subprocess.Popen(project.leat.arguments(*args), cwd=project.folder, env=env, stdout=child, stderr=subprocess.PIPE, text=True)
    os.close(child)
    out = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:
            break
        if not part: break
        out += part
    err = done.stderr.read(); done.wait(); os.close(parent)
    text = out.decode().replace("\r\n", "\n")
    return f"{text}--- {done.returncode}\n{err}"

@pytest.fixture
def shop(make):
    project = make("""CREATE TABLE item (id int PRIMARY KEY, v int, name text); INSERT INTO item VALUES (1, 10, 'a'), (2, 20, 'b');
      CREATE TABLE note (t text); INSERT INTO note VALUES ('x');""", warehouse=True)
    project.model("item", "SELECT id, v, name\nFROM src.item\n", "key: id\nchecks: [not_null: id]")
    project.model("total", "SELECT count(*) AS items, sum(v) AS v FROM mart.item\n")
    project.model("notes", "SELECT t FROM src.note\n")
    return project

def test_try(shop):
    def show(*a):
        print("$", *a); print(shown(shop, *a))
    show("plan")
    show("plan", "--json")
    print(shop.run().expect(0))
    show("plan")
    show("plan", "-v", "--exit-code")
    shop.model("item", "SELECT id,\n  v::BIGINT AS v, name, 1::DECIMAL(9,2) AS discount\nFROM src.item\n", "key: [id, name]\nchecks: [not_null: id, unique: name]")
    show("plan", "--exit-code")
    shop.model("item", "SELECT id,\n  v::VARCHAR AS v, name\nFROM src.item\n", "key: id")
    show("plan", "--exit-code")
    show("plan", "--full-refresh")
    shop.execute("ALTER TABLE item ADD COLUMN colour text DEFAULT 'red'; CREATE TABLE fresh (a int)")
    streams(shop, '"*": {}', "note: {skip: true}", "item: {deletes: never}")
    show("plan")
    assert 0

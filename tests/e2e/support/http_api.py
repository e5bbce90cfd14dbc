"""An HTTP server of a test's own, and a project that reads it."""

import base64
import dataclasses
import gzip
import http.server
import json
import pathlib
import socket
import textwrap
import threading
import time
import urllib.parse

from support.lake import Lake
from support.leat import Leat, Result


@dataclasses.dataclass
class Request:
    """What came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes
    time_s: float

    def json(self):
        return json.loads(self.body)

    def basic(self) -> str:
        """`user:password`, or nothing."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return base64.b64decode(value).decode() if scheme == "Basic" else ""


@dataclasses.dataclass
class Answer:
    """What goes out. `body` is bytes, text, or anything that JSON can say."""

    body: object = b""
    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)

    def bytes(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Api:
    """Answers requests by `answer(request) -> Answer`, which a test may replace at any time, and keeps them."""

    def __init__(self, answer=None) -> None:
        self.answer = answer or (lambda request: Answer({}, status=404))
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                api._handle(self)

            do_POST = do_GET

            def log_message(self, *args) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, client_address) -> None:
                pass  # a client that goes away is what some tests are about

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> list[Request]:
        """The requests so far, and forget them."""
        with self._lock:
            taken, self.requests = self.requests, []
            return taken

    def _handle(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        parts = urllib.parse.urlsplit(handler.path)
        request = Request(
            method=handler.command,
            path=parts.path,
            query=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in handler.headers.items()},
            body=handler.rfile.read(int(handler.headers.get("Content-Length", 0))),
            time_s=time.monotonic(),
        )
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self._send(handler, self.answer(request))
        finally:
            with self._lock:
                self._at_once -= 1

    @staticmethod
    def _send(handler: http.server.BaseHTTPRequestHandler, answer: Answer) -> None:
        body = answer.bytes()
        headers = {"Content-Type": "application/json"} | answer.headers
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.compress(body)
        handler.send_response(answer.status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


class HttpProject:
    """`folder`/project with one source `api`, whose requests go to `api`."""

    def __init__(self, folder: pathlib.Path, api: Api) -> None:
        self.api = api
        self.leat = Leat(folder / "home", folder)
        self.folder = folder / "project"
        self.write("leat.yaml", "name: small\n")

    def write(self, path: str, text: str) -> pathlib.Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def source(self, text: str, base_url: str = "") -> None:
        """sources/api.yaml: what follows its type and its address."""
        head = f"type: http\nbase_url: {base_url or self.api.url}\nretry: {{attempts: 2, wait_max: 1s}}\n"
        self.write("sources/api.yaml", head + textwrap.dedent(text))

    def run(self, *args, **options) -> Result:
        return self.command("run", *args, **options)

    def command(self, *args, **options) -> Result:
        return self.leat.run(*args, **({"cwd": self.folder} | options))

    def query(self, statement: str) -> list[str]:
        """Lines of leat's own answer, without the header."""
        return self.command("query", statement, "--format", "csv").expect(0).stdout.splitlines()[1:]

    # --- what it holds, seen by others ---

    def versions(self, stream: str, *columns: str) -> list[tuple]:
        """(operation, columns …) of every version of a stream's rows, oldest first, through PyIceberg."""
        with Lake(self.folder) as lake:
            rows = lake.rows(f"{stream}__history")
        order = sorted(rows, key=lambda row: (row["_leat_seq"], repr([row[name] for name in columns])))
        return [(row["_leat_op"], *(row[name] for name in columns)) for row in order]

    def rows(self, table: str) -> list[dict]:
        with Lake(self.folder) as lake:
            return lake.rows(table)

    def landed(self, stream: str = "*") -> list[dict]:
        """Every line of every `pages.jsonl`, the pages with their unpacked `content`."""
        lines = []
        for index in sorted((self.folder / "lake" / "landing").glob(f"api/{stream}/*/*/pages.jsonl")):
            for line in index.read_text(encoding="utf-8").splitlines():
                lines.append(json.loads(line))
                if "file" in lines[-1]:
                    lines[-1]["content"] = gzip.decompress((index.parent / lines[-1]["file"]).read_bytes())
        return lines

    def positions(self, stream: str) -> dict:
        """Partition -> what is stored of it."""
        return json.loads(self.command("state", "show", stream, "--json").expect(0).stdout)


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

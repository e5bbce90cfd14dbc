"""A TCP proxy before PostgreSQL that breaks one connection at one byte.

It forwards bytes and knows only where the messages of the protocol begin, so that it can also break between two of
them, and what a COMMIT looks like.
"""

import dataclasses
import socket
import struct
import threading
import time

UP, DOWN = "up", "down"  # from the client to the server, and back
AT_A_BYTE = ("reset", "cut", "stall", "slow")
_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_COMMIT = b"COMMIT\0"


@dataclasses.dataclass(frozen=True)
class Fault:
    """What becomes of one connection; all others pass.

    reset          after `at` bytes of `direction`: RST to both sides
    cut            the same by FIN
    stall          nothing is forwarded for `seconds`, then all goes on
    slow           from there on at `bytes_per_s`
    refuse         RST as soon as the client has connected
    lost_commit    the first COMMIT reaches the server and is carried out; its answer is dropped, RST to the client
    unsent_commit  the first COMMIT is dropped, RST to both sides
    """

    kind: str
    connection: int = 0  # since `arm`, in the order they came; of the two about COMMIT: any
    direction: str = UP
    at: int = 0
    seconds: float = 0
    bytes_per_s: int = 0
    is_lasting: bool = False  # whoever connects after it was hit is refused

    def __str__(self) -> str:
        where = "" if "commit" in self.kind else f" connection {self.connection}"
        place = f" {self.direction} at byte {self.at}" if self.kind in AT_A_BYTE else ""
        extent = {"stall": f" for {self.seconds} s", "slow": f" at {self.bytes_per_s} B/s"}.get(self.kind, "")
        return f"{self.kind}{where}{place}{extent}{', then refuse all' if self.is_lasting else ''}"


class Framing:
    """Finds where messages begin in one direction of a connection."""

    def __init__(self, direction: str) -> None:
        self.is_typed = direction == DOWN  # a client starts with messages that have no type
        self.length = 0  # bytes seen
        self.borders: list[int] = []
        self._buffer = b""

    def feed(self, data: bytes, single_byte: bool = False) -> list[tuple[int, bytes]]:
        """The messages that `data` completes, each with the offset where it begins."""
        if single_byte and data:  # the answer to a request for encryption is no message
            self.length += 1
            data = data[1:]
        begin = self.length - len(self._buffer)
        self.length += len(data)
        self._buffer += data
        messages = []
        while True:
            head = 1 if self.is_typed else 0
            if len(self._buffer) < head + 4:
                return messages
            size = head + struct.unpack_from("!I", self._buffer, head)[0]
            if len(self._buffer) < size:
                return messages
            message, self._buffer = self._buffer[:size], self._buffer[size:]
            messages.append((begin, message))
            self.borders.append(begin)
            begin += size
            if not self.is_typed and struct.unpack_from("!I", message, 4)[0] not in (_SSL, _GSS, _CANCEL):
                self.is_typed = True


class _Broken(Exception):
    pass


class Connection:
    """Two threads that pump, and what they saw."""

    def __init__(self, proxy: "Proxy", client: socket.socket, number: int, fault: Fault | None) -> None:
        self._proxy = proxy
        self._client = client
        self._number = number
        self._fault = fault
        self._server: socket.socket | None = None
        self._commit_is_out = threading.Event()
        self._asks_encryption = False
        self._lock = threading.Lock()
        self._is_closed = False
        self.framing = {UP: Framing(UP), DOWN: Framing(DOWN)}

    def open(self) -> None:
        if self._fault and self._fault.kind == "refuse" and self._is_meant():
            self._proxy.hits += 1
            return self._close(reset=True)
        try:
            self._server = socket.create_connection(self._proxy.target)
        except OSError:
            return self._close(reset=True)
        for sock in (self._client, self._server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for direction in (UP, DOWN):
            threading.Thread(target=self._pump, args=[direction], daemon=True).start()

    def _is_meant(self) -> bool:
        return self._fault.connection == self._number

    def _pump(self, direction: str) -> None:
        source, target = (self._client, self._server) if direction == UP else (self._server, self._client)
        try:
            while data := source.recv(1 << 16):
                self._forward(direction, data, target)
            self._close(reset=False)
        except _Broken:
            pass
        except OSError:
            self._close(reset=True)

    def _forward(self, direction: str, data: bytes, target: socket.socket) -> None:
        fault = self._fault
        framing = self.framing[direction]
        before = framing.length
        single_byte = direction == DOWN and self._asks_encryption
        if single_byte:
            self._asks_encryption = False
        messages = framing.feed(data, single_byte)
        if direction == UP and not framing.is_typed and messages:
            self._asks_encryption = True
        if direction == DOWN and self._commit_is_out.is_set():
            self._break(reset=True)  # the server has answered: it is done
        if fault is None:
            return target.sendall(data)
        if direction == UP and "commit" in fault.kind and self._proxy.hits == 0:
            if any(message[:1] == b"Q" and message[5:] == _COMMIT for _, message in messages):
                if fault.kind == "unsent_commit":
                    self._break(reset=True)
                self._commit_is_out.set()
        if fault.kind not in AT_A_BYTE or not self._is_meant() or fault.direction != direction:
            return target.sendall(data)
        passing = min(max(fault.at - before, 0), len(data))
        if passing == len(data):
            return target.sendall(data)
        target.sendall(data[:passing])
        self._fail(data[passing:], target)

    def _fail(self, rest: bytes, target: socket.socket) -> None:
        """The bytes from the fault's place on."""
        fault = self._fault
        if fault.kind in ("reset", "cut"):
            self._break(reset=fault.kind == "reset")
        if fault.kind == "stall":
            if self._proxy.hits == 0:
                self._proxy.hits += 1
                time.sleep(fault.seconds)
            return target.sendall(rest)
        self._proxy.hits = 1
        step = max(1, fault.bytes_per_s // 50)
        for begin in range(0, len(rest), step):
            target.sendall(rest[begin : begin + step])
            time.sleep(0.02)

    def _break(self, reset: bool) -> None:
        self._proxy.hits += 1
        self._close(reset)
        raise _Broken

    def _close(self, reset: bool) -> None:
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        for sock in (self._client, self._server):
            if sock is None:
                continue
            try:
                if reset:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    sock.shutdown(socket.SHUT_RDWR)  # wakes the other thread
            except OSError:
                pass
            # A thread in recv() keeps the socket open beyond close(); shutdown() ends its wait, close() sends the RST.
            try:
                if reset:
                    sock.shutdown(socket.SHUT_RD)
                sock.close()
            except OSError:
                pass

    def close(self) -> None:
        self._close(reset=True)


class Proxy:
    """Listens on a port of its own, for one server. `arm` before a run, `disarm` after it."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self._fault: Fault | None = None
        self.connections: list[Connection] = []  # since the last `arm` or `disarm`
        self.hits = 0
        self._listener = socket.create_server((host, 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self.disarm()

    def arm(self, fault: Fault | None) -> None:
        self.connections, self.hits, self._fault = [], 0, fault

    def disarm(self) -> None:
        connections = self.connections
        self.arm(None)
        for connection in connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            fault = self._fault
            if fault and fault.is_lasting and self.hits:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                continue
            connection = Connection(self, client, len(self.connections), fault)
            self.connections.append(connection)
            connection.open()

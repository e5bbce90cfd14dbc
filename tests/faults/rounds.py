"""Rounds: change the source, run leat under one fault, let it recover, verify. Everything follows from seed, kind and number.

Rounds come in chunks that share a world, since what a fault finds depends on what came before: a chunk begins with an
empty lake, every second one with a fault in the very first run. To repeat a round is to repeat its chunk up to it.
"""

import collections
import contextlib
import dataclasses
import math
import pathlib
import random
import tempfile
import time

import world
from proxy import DOWN, UP, Fault, Proxy
from support.postgres import Cluster
from world import World, require

CHUNK = 20
ACTIONS = ("kill", "error")

# Errors that a call of each kind may give. EINTR and a short count are answers to one call; no disk gives them for ever.
IO_FAULTS = {
    "open": ("EIO", "EMFILE", "ENOSPC"),
    "read": ("EIO", "EINTR", "short"),
    "write": ("EIO", "ENOSPC", "EINTR", "short"),
    "fsync": ("EIO", "ENOSPC"),
    "rename": ("EIO", "ENOSPC"),
    "close": ("EIO", "ENOSPC"),
    "mmap": ("EIO", "ENOMEM"),
    "mkdir": ("EIO", "ENOSPC"),
    "unlink": ("EIO",),
}


def fail_points() -> list[str]:
    return (pathlib.Path(__file__).parent / "fail_points.txt").read_text(encoding="utf-8").split()


class Failure(AssertionError):
    """A round in which leat broke a promise."""

    def __init__(self, seed: int, kind: str, number: int, fault: str, wrong: str) -> None:
        self.command = f"tests/faults/torture.py --seed {seed} --only {kind}:{number}"
        super().__init__(f"{kind} {number}, {fault}: {wrong}\nrepeat: {self.command}")


class Chunk:
    """A world, and what its rounds have learned of it."""

    def __init__(self, cluster: Cluster, rng: random.Random, ports: dict[str, int] | None = None) -> None:
        self.cluster = cluster
        self.ports = ports
        self.threads = rng.choice([1, 1, 1, 2])
        self.fault = "no fault yet"
        self._durations: collections.deque[float] = collections.deque([0.5], maxlen=5)
        self.calls: dict[str, int] = {}
        self.is_behind = False  # the last run failed, and none without a fault came after it
        self.renew()

    def renew(self) -> None:
        self.world = World(self.cluster, self.ports, self.threads)

    def drop(self) -> None:
        self.world.drop()

    @property
    def duration_s(self) -> float:
        """How long a run with work to do takes here, about."""
        return max(self._durations)

    def recover(self, rng: random.Random, **options) -> None:
        self.is_behind = False
        self.world.check_whole()
        if rng.random() < 0.5:
            self.world.age_positions()
        self._durations.append(self.world.run_clean(**options).duration_s)
        if rng.random() < 0.05:
            self.world.run_idle()

    def judge(self, run: world.Run, rng: random.Random, **options) -> None:
        """A run that says that all went well is taken at its word; after any other a clean one must mend all."""
        run.require_honest()
        if run.code == 0:
            self.world.verify()
            self.is_behind = False
        else:
            self.recover(rng, **options)


# --- kills ---


def kill_round(chunk: Chunk, number: int, rng: random.Random) -> None:
    chunk.world.mutate(rng)
    told = []
    while True:
        delay_s = rng.random() * chunk.duration_s * 1.1
        told.append(f"{delay_s:.3f} s")
        chunk.fault = "killed after " + " and ".join(told)
        process = chunk.world.start()
        time.sleep(delay_s)
        process.kill()
        run = chunk.world.finish(process)
        require(run.code in (-9, 0), f"exit code {run.code}\n{run.output}")
        chunk.world.age_positions()
        if rng.random() > 0.2:  # else again, while it recovers
            break
    chunk.recover(rng)


# --- fail points ---


def point_of(number: int, rng: random.Random) -> tuple[str, int, str]:
    """First each point with each action, then any, at any hit."""
    points = fail_points()
    if number < len(points) * len(ACTIONS):
        return points[number // len(ACTIONS)], 1, ACTIONS[number % len(ACTIONS)]
    return rng.choice(points), rng.randint(1, 5), rng.choice(ACTIONS)


def is_of_first_run(point: str) -> bool:
    """Passed only where there is nothing yet."""
    return point.startswith(("state.file.", "state.schema.", "core.folder."))


def point_round(chunk: Chunk, number: int, rng: random.Random) -> None:
    point, hit, action = point_of(number, rng)
    chunk.fault = f"{point}, hit {hit}, {action}"
    if is_of_first_run(point):
        chunk.drop()
        chunk.renew()
    chunk.world.mutate(rng)
    chunk.world.change_every_stream(number)
    log = chunk.world.folder / "points.log"
    log.unlink(missing_ok=True)
    run = chunk.world.run(binary="leat-faults", env={"LEAT_FAIL": f"{point}:{hit}:{action}", "LEAT_FAIL_LOG": str(log)})
    passed = [line.split()[0] for line in log.read_text().splitlines()]
    if passed.count(point) < hit:
        require(hit > 1, "the point was not passed")
        return chunk.judge(run, rng)
    if action == "error":
        return chunk.judge(run, rng)
    require(run.code == -9, f"exit code {run.code}; expected a kill\n{run.output}")
    chunk.recover(rng)
    # What the next run makes of the dead one depends on how far that had come.
    expected = []
    if "state.begin.after_commit" in passed:
        expected = ["succeeded" if "state.finish.after_commit" in passed else "crashed"]
    found = [status for (status,) in chunk.world.state("SELECT status FROM leat_runs WHERE pid = ?", [run.pid])]
    world.require_equal(found, expected, "status of the killed run")


# --- the nth system call ---


def io_round(chunk: Chunk, number: int, rng: random.Random) -> None:
    # A run that did not come so far was a clean one; then again, with another call.
    for _ in range(5):
        if not chunk.is_behind:
            chunk.world.mutate(rng)
        if not chunk.calls:  # a lake that is not there yet
            chunk.calls = calls_of_first_run(chunk.cluster, chunk.threads)
        kind = rng.choice([kind for kind in IO_FAULTS if chunk.calls[kind]])
        error = rng.choice(IO_FAULTS[kind])
        mode = "once" if error in ("EINTR", "short") else rng.choice(["once", "sticky"])
        # How many calls there will be is a guess; the first few, where things are opened, are surely there.
        count = chunk.calls[kind]
        nth = rng.randint(1, rng.choice([count, (count + 1) // 2, min(count, 10)]))
        chunk.fault = f"{kind} {nth} of about {chunk.calls[kind]}: {error} {mode}"
        run, notes = run_preloaded(chunk.world, {"NTH": nth, "NTH_OP": kind, "NTH_ERR": error, "NTH_MODE": mode})
        hits = [line for line in notes if line.startswith("hit ")]
        chunk.fault += f" ({' '.join(hits)})"
        if hits:
            break
        run.require_green()
        chunk.world.verify()
        chunk.is_behind = False
    else:
        raise world.Wrong("five runs without a hit")
    # What the lake was to keep and the disk refused must not pass as done. (A COMMIT of the state whose sync was refused
    # is looked up afterwards, and may turn out to be there.)
    is_lost = kind in ("write", "fsync") and error in ("EIO", "ENOSPC") and str(chunk.world.project / "lake") in hits[0]
    require(not is_lost or run.code != 0, f"exit code {run.code} after a {kind} that was refused")
    if run.code != 0 and number % 2 == 0 and number % CHUNK < CHUNK - 2:
        # Left as it is, for the next fault to meet.
        run.require_honest()
        chunk.world.check_whole()
        chunk.is_behind = True
        return
    chunk.judge(run, rng, env=preload(chunk.world, {"NTH": 0}))
    if run.code != 0:
        chunk.calls = {kind: max(count, chunk.calls[kind] // 2) for kind, count in calls_in(read_notes(chunk.world)).items()}


def preload(project: World, settings: dict) -> dict[str, str]:
    notes = project.folder / "nth.log"
    notes.unlink(missing_ok=True)
    common = {"LD_PRELOAD": str(world.program("libnth.so")), "NTH_PATH": str(project.project), "NTH_LOG": str(notes)}
    return common | {name: str(value) for name, value in settings.items()}


def read_notes(project: World) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return (project.folder / "nth.log").read_text().splitlines()
    return []


def run_preloaded(project: World, settings: dict) -> tuple[world.Run, list[str]]:
    run = project.run(env=preload(project, settings))
    return run, read_notes(project)


def calls_in(notes: list[str]) -> dict[str, int]:
    """By kind, how many calls a run made."""
    (line,) = [line for line in notes if line.startswith("calls ")]
    return {kind: int(count) for kind, count in (word.split("=") for word in line.split()[1:])}


_first_calls: dict[int, dict[str, int]] = {}


def calls_of_first_run(cluster: Cluster, threads: int) -> dict[str, int]:
    if threads not in _first_calls:
        scratch = World(cluster, threads=threads)
        run, notes = run_preloaded(scratch, {"NTH": 0})
        run.require_green()
        scratch.drop()
        _first_calls[threads] = calls_in(notes)
    return _first_calls[threads]


# --- the network ---


def network_round(chunk: "NetworkChunk", number: int, rng: random.Random) -> None:
    chunk.world.mutate(rng)
    name = rng.choice(["source", "warehouse"])
    proxy, fault = chunk.proxies[name], chunk.choose(name, rng)
    chunk.fault = f"{name}: {fault}"
    proxy.arm(fault)
    run = chunk.world.run()
    is_hit = proxy.hits > 0
    proxy.disarm()
    chunk.judge(run, rng)
    if fault.kind == "lost_commit" and not fault.is_lasting and is_hit:
        require(run.code == 0, f"exit code {run.code}: the warehouse knows that this COMMIT was carried out\n{run.output}")
    chunk.hits += is_hit


class NetworkChunk(Chunk):
    """Both connections go through a proxy."""

    def __init__(self, cluster: Cluster, rng: random.Random) -> None:
        self.proxies = {name: Proxy(cluster.host, cluster.port) for name in ("source", "warehouse")}
        self.traffic: dict[str, list] = {}
        self.hits = 0
        super().__init__(cluster, rng, {name: proxy.port for name, proxy in self.proxies.items()})

    def drop(self) -> None:
        for proxy in self.proxies.values():
            proxy.close()
        super().drop()

    def recover(self, rng: random.Random, **options) -> None:
        for proxy in self.proxies.values():
            proxy.arm(None)
        super().recover(rng, **options)
        for name, proxy in self.proxies.items():
            seen = [
                {side: (of.framing[side].length, list(of.framing[side].borders)) for side in (UP, DOWN)}
                for of in proxy.connections
            ]
            # A run that had little to do says little; what was seen before still tells where faults may be.
            if sum(len(side[1]) for of in seen for side in of.values()) >= self._messages(name):
                self.traffic[name] = seen
            proxy.disarm()

    def _messages(self, name: str) -> int:
        return sum(len(side[1]) for of in self.traffic.get(name, []) for side in of.values()) // 2

    def choose(self, name: str, rng: random.Random) -> Fault:
        if name == "warehouse" and rng.random() < 0.25:
            return Fault(rng.choice(["lost_commit", "lost_commit", "unsent_commit"]), is_lasting=rng.random() < 0.25)
        seen = self.traffic.get(name) or [{UP: (200, [0, 8]), DOWN: (400, [1, 30])}]
        number = rng.randrange(len(seen))
        direction = rng.choice([UP, DOWN])
        length, borders = seen[number][direction]
        # Even odds for the talk at the beginning and the bulk of rows.
        anywhere = int(math.exp(rng.random() * math.log(max(length, 2))))
        at = rng.choice([rng.choice(borders or [0]), anywhere, rng.randrange(max(length, 1))])
        kind = rng.choice(["reset", "reset", "cut", "cut", "stall", "slow", "refuse"])
        return Fault(
            kind,
            number,
            direction,
            at,
            seconds=round(rng.uniform(0.05, 0.4), 2),
            bytes_per_s=rng.choice([200_000, 500_000]),
            is_lasting=kind in ("reset", "cut", "refuse") and rng.random() < 0.2,
        )


# --- all of them ---


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    play: object  # (chunk, number, rng)
    in_ci: int
    chunk: type = Chunk


KINDS = {
    kind.name: kind
    for kind in (
        Kind("kills", kill_round, 200),
        Kind("points", point_round, len(fail_points()) * len(ACTIONS)),
        Kind("io", io_round, 1000),
        Kind("network", network_round, 200, NetworkChunk),
    )
}


def play(cluster: Cluster, seed: int, kind_name: str, first: int, last: int):
    """Play the rounds first … last of a kind, `first` being where a chunk begins; yields after each.

    Throws: Failure.
    """
    kind = KINDS[kind_name]
    require(first % CHUNK == 0 and last < first + CHUNK, "a chunk at a time")
    chunk = kind.chunk(cluster, random.Random(f"{seed}:{kind_name}:{first}:world"))
    try:
        number = first
        try:
            if first // CHUNK % 2 == 1:
                chunk.fault = "before any fault"
                env = {"env": preload(chunk.world, {"NTH": 0})} if kind_name == "io" else {}
                chunk.recover(random.Random(0), **env)
                if env:
                    chunk.calls = calls_in(read_notes(chunk.world))
            for number in range(first, last + 1):
                kind.play(chunk, number, random.Random(f"{seed}:{kind_name}:{number}"))
                yield number
        except Exception as wrong:
            raise Failure(seed, kind_name, number, chunk.fault, f"{type(wrong).__name__}: {wrong}") from wrong
    finally:
        chunk.drop()


def chunk_of(kind: Kind, number: int) -> tuple[int, int]:
    """First and last round of the chunk that a round is of, in CI."""
    first = number // CHUNK * CHUNK
    return first, min(first + CHUNK, max(kind.in_ci, number + 1)) - 1

"""How long the recommender takes to answer over HTTP at a fixed pace, and what a question costs, with one core for it.

Questions come when their time has come, whether those before them are answered or not, and each is measured from the
moment at which it was due. So an answer that keeps others waiting is in their times too.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from synthetic import visits

PROGRAM = Path(__file__).with_name("served.py")
CONNECTIONS = 32
PACE = 1000
"""Questions a second."""
COUNT = 6
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Of a process alone, without the children that make its indexes."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def served(server: str, file: Path, port: int, rebuild_seconds: float, sessions: int, seed: int) -> Any:
    environment = {**os.environ, "BENCH_SESSIONS": str(sessions), "BENCH_SEED": str(seed)}
    core = max(os.sched_getaffinity(0))
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), server, str(file), str(port), str(core), str(rebuild_seconds)],
        env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None and not asyncio.run(answers(port)):
            time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


async def answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    return head.split()[1] == b"200"


def request(viewed: tuple[int, ...]) -> bytes:
    body = json.dumps({"page": "product", "count": COUNT, "viewed": viewed[:-1], "product": viewed[-1]}).encode()
    return b"POST /row HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body) + body


async def at_pace(port: int, seen: list[tuple[int, ...]], pace: float) -> tuple[list[float], int]:
    """Time of each answer (s) from the moment its question was due; and how many were no answer."""
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    times, bad = list[float](), 0

    async def ask(viewed: tuple[int, ...], due: float) -> None:
        nonlocal bad
        reader, writer = await free.get()
        writer.write(request(viewed))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        await reader.readexactly(length)
        times.append(loop.time() - due)
        bad += head.split()[1] != b"200"
        free.put_nowait((reader, writer))

    began, asking = loop.time() + 0.1, set[asyncio.Task[None]]()
    for number, viewed in enumerate(seen):
        due = began + number / pace
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(ask(viewed, due))
        asking.add(task)
        task.add_done_callback(asking.discard)
    await asyncio.wait_for(asyncio.gather(*asking), 60)
    while not free.empty():
        free.get_nowait()[1].close()
    return times, bad


def paced(pid: int, port: int, seen: list[tuple[int, ...]]) -> dict[str, float]:
    before = cpu_seconds(pid)
    times, bad = asyncio.run(at_pace(port, seen, PACE))
    spent = cpu_seconds(pid) - before
    figures = {f"p{part:g}_us": round(float(np.percentile(times, part)) * 1e6) for part in (50, 90, 99, 99.9)}
    return {**figures, "cpu_us": round(spent / len(seen) * 1e6), "not_answered": bad, "questions": len(seen)}


def service(sessions: int, runs: int, seed: int, seconds: float = 10) -> dict[str, Any]:
    """In turns: the shop's server quiet, while indexes are made and swapped without a pause; and Granian."""
    kinds: dict[str, list[dict[str, float]]] = {"own": [], "own, swapped meanwhile": [], "granian": []}
    with tempfile.TemporaryDirectory(prefix="reco-served-") as folder:
        file = Path(folder) / "sessions"
        command = [sys.executable, str(PROGRAM), "index", str(file), str(sessions), str(seed)]
        subprocess.run(command, check=True)
        for run in range(runs):
            seen = visits(int(PACE * seconds), seed + 200 + run)
            for place, (kind, server, rebuild) in enumerate(
                (("own", "own", 0.0), ("own, swapped meanwhile", "own", 0.1), ("granian", "granian", 0.0))
            ):
                port = 18_011 + place
                with served(server, file, port, rebuild, sessions, seed) as pid:
                    asyncio.run(at_pace(port, seen[:500], PACE))
                    kinds[kind].append(paced(pid, port, seen))
    return {"pace_per_second": PACE, "connections": CONNECTIONS, "sessions": sessions, "runs": runs,
            **{kind: spread(lines) for kind, lines in kinds.items()}}  # fmt: skip


def spread(lines: list[dict[str, float]]) -> dict[str, list[float]]:
    """Lowest, middle and highest of the runs."""
    figures = {name: sorted(line[name] for line in lines) for name in lines[0]}
    return {name: [values[0], values[len(values) // 2], values[-1]] for name, values in figures.items()}

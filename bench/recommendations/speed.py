"""How long an answer takes, how large an index is and what it costs to make: one core, no network."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
from synthetic import PRODUCTS, clicks, visits

from app.recommendations.availability import Availability
from app.recommendations.building import build
from app.recommendations.clicks import Clicks
from app.recommendations.fallbacks import Popularity
from app.recommendations.index import IndexInUse
from app.recommendations.index_file import load, save
from app.recommendations.row import row_for

NOW = 1_800_000_000
COUNT = 8
"""Products of a row."""
HIDDEN = 0.3
"""Part of the products that is sold out in the third kind of run: a bad day."""


def resident(name: str = "VmRSS") -> float:
    """Memory of this process (MiB); VmHWM is the most since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def made(table: Clicks) -> tuple[IndexInUse, dict[str, Any]]:
    """The index of a table of clicks, and what making, writing and reading it cost."""
    forget_peak()
    before, cpu, wall = resident(), time.process_time(), time.monotonic()
    index = build(table, NOW)
    figures = {
        "build_cpu_seconds": round(time.process_time() - cpu, 2), "build_seconds": round(time.monotonic() - wall, 2),
        "build_peak_mib": round(resident("VmHWM") - before), "clicks_mib": round(20 * len(table.keys) / 2**20),
        "sessions": index.sessions, "products": len(index.products), "looks": len(index.session_products),
        "index_mib": round(index.bytes / 2**20, 1),
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="reco-bench-") as folder:
        file = Path(folder) / "sessions"
        wall = time.monotonic()
        save(index, file)
        figures["save_seconds"] = round(time.monotonic() - wall, 3)
        cpu, wall = time.process_time(), time.monotonic()
        loaded = load(file)
        figures["load_cpu_seconds"] = round(time.process_time() - cpu, 3)
        figures["load_seconds"] = round(time.monotonic() - wall, 3)
        figures["file_mib"] = round(file.stat().st_size / 2**20, 1)
    used = IndexInUse()
    used.swap(loaded)
    return used, figures


def asked(answer: Callable[[tuple[int, ...]], object], seen: list[tuple[int, ...]]) -> dict[str, float]:
    """Time of each answer (us): as a clock on the wall sees it, and of the processor in this thread."""
    wall, cpu = np.empty(len(seen)), np.empty(len(seen))
    for at, viewed in enumerate(seen):
        began, spent = time.perf_counter_ns(), time.thread_time_ns()
        answer(viewed)
        cpu[at] = time.thread_time_ns() - spent
        wall[at] = time.perf_counter_ns() - began
    figures = {f"p{part:g}_us": round(float(np.percentile(wall, part)) / 1000) for part in (50, 90, 99, 99.9)}
    spent_p99 = round(float(np.percentile(cpu, 99)) / 1000)
    return {**figures, "cpu_p99_us": spent_p99, "per_cpu_second": round(1e9 * len(seen) / float(cpu.sum()))}


def measure(sessions: int, requests: int, runs: int, seed: int) -> dict[str, Any]:
    """Three kinds of runs in turns: quiet, while a new index is built and swapped again and again, much sold out."""
    table = clicks(sessions, NOW, seed)
    used, figures = made(table)
    random = np.random.default_rng([seed, 2])
    everything = Availability(range(1, PRODUCTS + 1))
    some = Availability((np.flatnonzero(random.random(PRODUCTS) > HIDDEN) + 1).tolist())
    shelf = [Popularity(trending=tuple(range(1, 30)), bestsellers=tuple(range(30, 60)))]

    def answering(shown: Availability) -> Callable[[tuple[int, ...]], object]:
        return lambda viewed: row_for(used.index, viewed, shown, shelf, COUNT)

    kinds: dict[str, list[dict[str, float]]] = {"quiet": [], "rebuilt meanwhile": [], "much sold out": []}
    asked(answering(everything), visits(300, seed + 1))
    for run in range(runs):
        seen = visits(requests, seed + 100 + run)
        kinds["quiet"].append(asked(answering(everything), seen))
        kinds["much sold out"].append(asked(answering(some), seen))
        over = Event()
        builder = Thread(target=rebuild, args=(table, used, over))
        builder.start()
        kinds["rebuilt meanwhile"].append(asked(answering(everything), seen))
        over.set()
        builder.join()
    return {**figures, "requests_per_run": requests, "runs": runs, "seed": seed,
            **{kind: spread(lines) for kind, lines in kinds.items()}}  # fmt: skip


def rebuild(table: Clicks, used: IndexInUse, over: Event) -> None:
    while not over.is_set():
        used.swap(build(table, NOW))


def spread(lines: list[dict[str, float]]) -> dict[str, list[float]]:
    """Lowest, middle and highest of the runs."""
    figures = {name: sorted(line[name] for line in lines) for name in lines[0]}
    return {name: [values[0], values[len(values) // 2], values[-1]] for name, values in figures.items()}

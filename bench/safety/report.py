"""What the accumulated results say: per fault runs, gaps and losses, and a histogram of the gaps."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

WIDTH = 40


def show(path: Path) -> int:
    """Print the report; returns 1 when a run violated something or could not be judged, and was not good since."""
    results = [json.loads(line) for line in path.read_text().splitlines()]
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in results:
        groups[each["fault"]].append(each)
    print("| fault | runs | gap p50 | p95 | max | orders acknowledged | orders lost (ms) | violations | not judged |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, group in sorted(groups.items()):
        judged = [each for each in group if "violations" in each]
        gaps = sorted(each["gap_seconds"] for each in judged)
        lost = sum(each["orders_lost"] for each in judged)
        span = max((each["orders_lost_ms"] for each in judged), default=0)
        print(
            f"| {name} | {len(group)} | {percentile(gaps, 50)} | {percentile(gaps, 95)} | {percentile(gaps, 100)} "
            f"| {sum(each['orders'] for each in judged)} | {lost} ({span}) "
            f"| {sum(bool(each['violations']) for each in judged)} | {len(group) - len(judged)} |"
        )
    for name in ("power-loss", "power-loss-unattended", "failback"):
        if name in groups:
            print(f"\n{name}: seconds from the last order before to the first after")
            histogram([each["gap_seconds"] for each in groups[name] if "gap_seconds" in each])
    last = {run_of(each): each for each in results}
    for each in filter(is_bad, results):
        print(f"\n{' '.join(map(str, run_of(each)))} at {commit_of(each)}: {each.get('violations') or each['error']}")
        if not is_bad(last[run_of(each)]):
            print(f"  the same run was good at {commit_of(last[run_of(each)])}")
    return int(any(map(is_bad, last.values())))


def is_bad(result: dict[str, Any]) -> bool:
    """Whether it violated something or could not be judged."""
    return bool(result.get("violations") or "error" in result)


def run_of(result: dict[str, Any]) -> tuple[str, int, int]:
    """Fault, seed and number: the same again is the same run, on the code of that day."""
    return result["fault"], result["seed"], result["run"]


def commit_of(result: dict[str, Any]) -> str:
    """What the run was made with; the first results did not say."""
    return str(result.get("commit", "an early commit"))


def percentile(ordered: list[float], percent: int) -> str:
    """The nearest rank; empty text when there is nothing."""
    if not ordered:
        return ""
    rank = max(1, -(-len(ordered) * percent // 100))
    return f"{ordered[rank - 1]:.1f} s"


def histogram(values: list[float], step: int = 2) -> None:
    """Print bars of `step` seconds."""
    counts: defaultdict[int, int] = defaultdict(int)
    for value in values:
        counts[int(value // step)] += 1
    top = max(counts.values(), default=1)
    for bucket in range(min(counts, default=0), max(counts, default=-1) + 1):
        bar = "#" * round(WIDTH * counts[bucket] / top)
        print(f"  {bucket * step:3}-{(bucket + 1) * step:3} s {counts[bucket]:4} {bar}")

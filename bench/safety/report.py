"""What the accumulated results say: per fault runs, gaps and losses, and a histogram of the gaps."""

import json
from collections import defaultdict

WIDTH = 40


def show(path):
    """Print the report; returns 1 when a run violated something or could not be judged."""
    results = [json.loads(line) for line in path.read_text().splitlines()]
    groups = defaultdict(list)
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
    bad = [each for each in results if each.get("violations") or "error" in each]
    for each in bad:
        print(f"\n{each['fault']} seed {each['seed']} run {each['run']}: {each.get('violations') or each['error']}")
    return int(bool(bad))


def percentile(ordered, percent):
    """The nearest rank; empty text when there is nothing."""
    if not ordered:
        return ""
    rank = max(1, -(-len(ordered) * percent // 100))
    return f"{ordered[rank - 1]:.1f} s"


def histogram(values, step=2):
    """Print bars of `step` seconds."""
    counts = defaultdict(int)
    for value in values:
        counts[int(value // step)] += 1
    top = max(counts.values(), default=1)
    for bucket in range(min(counts, default=0), max(counts, default=-1) + 1):
        bar = "#" * round(WIDTH * counts[bucket] / top)
        print(f"  {bucket * step:3}-{(bucket + 1) * step:3} s {counts[bucket]:4} {bar}")

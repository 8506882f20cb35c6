"""What the results say: one line of a table for each run of each kind, and every violation."""

import json
from pathlib import Path
from typing import Any

HEAD = (
    "| kind | at | commit | killed in | s | orders | lost | doubled or lost payments | errors to patient customers "
    "| longest gap | violations |"
)


def line(result: dict[str, Any]) -> str:
    """One run."""
    kind = str(result["fault"]).removeprefix("rotate-").removesuffix("-killed")
    head = f"| {kind} | {result['at']} | {result['commit']} "
    if "violations" not in result:
        return f"{head}| not judged: {' '.join(str(result['error']).split())[:120]} |"
    payments = sum(each.startswith("payment ") for each in result["violations"])
    patient = sum(count for what, count in result["failures"].items() if what.startswith("patient: "))
    return (
        f"{head}| {result['killed_in']} steps | {result['rotation_seconds']:.0f} | {result['orders']} "
        f"| {result['orders_lost']} | {payments} | {patient} | {result['gap_seconds']:.1f} s "
        f"| {len(result['violations'])} |"
    )


def show(path: Path) -> int:
    """Print the report; returns 1 when the last run of a kind violated something or could not be judged."""
    results = [json.loads(each) for each in path.read_text().splitlines()]
    print(f"{HEAD}\n|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for each in results:
        print(line(each))
    for each in results:
        if each.get("violations") or "error" in each:
            print(f"\n{each['fault']} at {each['at']}: {each.get('violations') or each['error']}")
    last = {each["fault"]: each for each in results}
    return int(any(each.get("violations") or "error" in each for each in last.values()))

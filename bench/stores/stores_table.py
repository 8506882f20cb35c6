"""What the results say: a table of faults, one of restores, and every violation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FAULTS = (
    "| fault | at | commit | s | orders before, during | longest gap before, during | p95 before, during | failures "
    "| waited, MiB | told after | ready | caught up | violations |"
)
RESTORES = (
    "| restored | at | commit | GiB | base backup | RPO | RTO: archive, restore | orders lost | refused | violations |"
)


def fault_line(result: Mapping[str, Any]) -> str:
    """One fault of the store."""
    name = str(result["fault"]).removeprefix("store-")
    head = f"| {name} | {result.get('at', '')} | {result.get('commit', '')} "
    if "windows" not in result:
        return f"{head}| not judged: {_short(result)} |"
    before, during = result["windows"]["before"], result["windows"]["during"]
    told = result["told_after_seconds"]
    return (
        f"{head}| {result['fault_seconds']:.0f} | {before['orders']} in {before['seconds']:.0f} s, {during['orders']} "
        f"| {before['gap_seconds']}, {during['gap_seconds']} s | {before['p95_seconds']}, {during['p95_seconds']} s "
        f"| {sum(during['failures'].values())} | {max(result['waiting_mib'].values(), default=0)} "
        f"| {'by its age' if told is None else f'{told:.0f} s'} | {result['ready_during'][0]} "
        f"| {result.get('catch_up_seconds', '')} s | {len(result['violations'])} |"
    )


def restore_lines(result: Mapping[str, Any]) -> list[str]:
    """One line for each restore of a step."""
    tail = f"| {result.get('at', '')} | {result.get('commit', '')} "
    if "violations" not in result:
        return [f"| {result['fault']} {tail}| not judged: {_short(result)} |"]
    violations = f"| {len(result['violations'])} |"
    found = [
        f"| {database} {tail}| | | {_restored(each)} | {_lost(result, database)} | {violations}"
        for database, each in result.get("mistakes", {}).items()
    ]
    if large := result.get("large"):
        base = large["base"]
        took = f"{base['packed_mib']} MiB in {base['seconds']} s" if "label" in base else "an older one"
        refused = f"{large['refused']['seconds']} s"
        found.append(
            f"| commerce, large {tail}| {large['gib']} | {took} | {_restored(large['restored'])} "
            f"| {_lost(result, 'commerce')} | {refused} {violations}"
        )
    for each in result.get("pieces", ()):
        how = f"restored in {each['seconds']} s" if each["code"] == 0 else f"refused in {each['seconds']} s"
        found.append(f"| {each['what']} {tail}| | | | | | {how} {violations}")
    return found


def _restored(facts: Mapping[str, Any]) -> str:
    if "rto_seconds" not in facts:
        return "not restored | "
    parts = facts["of_it"]
    return (
        f"{facts['rpo_seconds']} s | {facts['rto_seconds']} s: {parts['waited_for_archive']}, {parts['restore']} s"
    )  # fmt: skip


def _lost(result: Mapping[str, Any], database: str) -> str:
    return str(result.get(f"{database}_orders_in_copy", {}).get("lost", ""))


def _short(result: Mapping[str, Any]) -> str:
    return " ".join(str(result.get("error", "no figures")).split())[:120]


def show(path: Path) -> int:
    """Print the report; returns 1 when the last run of a step violated something or could not be judged."""
    if not path.exists():
        print(f"no results at {path}")
        return 0
    results = [json.loads(each) for each in path.read_text().splitlines()]
    of_stores = [each for each in results if str(each["fault"]).startswith("store-")]
    restores = [each for each in results if each not in of_stores]
    if of_stores:
        print(f"\n{FAULTS}\n|{'---|' * (FAULTS.count('|') - 1)}")
        print("\n".join(map(fault_line, of_stores)))
    if restores:
        print(f"\n{RESTORES}\n|{'---|' * (RESTORES.count('|') - 1)}")
        print("\n".join(line for each in restores for line in restore_lines(each)))
    for each in results:
        if each.get("violations") or "error" in each:
            print(f"\n{each['fault']} at {each.get('at')}: {each.get('violations') or each['error']}")
    last = {each["fault"]: each for each in results}
    return int(any(each.get("violations") or "error" in each for each in last.values()))

"""What is recorded of each mutant, and whether that is enough."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from mutators import REPOSITORY
from tests_of import is_core

RESULTS = REPOSITORY / "bench" / "results" / "mutants.jsonl"
SURVIVORS = Path(__file__).with_name("survivors.yaml")
LEAST_PERCENT = 90


@dataclass(frozen=True)
class Record:
    """One mutant and what the tests said: `by` is the first that failed, `source` the digest of the changed file."""

    id: str
    file: str
    line: int
    source: str
    killed: bool
    by: str
    seconds: float


def append(record: Record) -> None:
    with RESULTS.open("a") as file:
        file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")


def recorded() -> dict[str, Record]:
    """The last record of each mutant, by its id and the text that it was made from."""
    if not RESULTS.exists():
        return {}
    lines = [Record(**json.loads(line)) for line in RESULTS.read_text().splitlines() if line]
    return {f"{each.id} {each.source}": each for each in lines}


def reasons() -> dict[str, str]:
    """Why a survivor is equivalent or accepted, by its id."""
    return yaml.safe_load(SURVIVORS.read_text()) or {}


def problems(expected: Iterable[tuple[str, str, str]], known: dict[str, Record]) -> list[str]:
    """Print the figures of each file and return what is wrong with them.

    A survivor in the core whose reason begins with "equivalent:" counts as no mutant; "accepted:" is none there.

    Args:
        expected: id, file and digest of each mutant that there is now.
        known: as `recorded` returns.
    """
    wrong: list[str] = []
    told, killed, total = reasons(), Counter[str](), Counter[str]()
    met: set[str] = set()
    for name, file, source in expected:
        met.add(name)
        record = known.get(f"{name} {source}")
        if record is None:
            wrong.append(f"{name}\n  was not run on this text: run its file")
            continue
        reason = str(told.get(name, ""))
        if record.killed:
            if reason:
                wrong.append(f"{name}\n  is killed now: take it out of {SURVIVORS.name}")
        elif not reason.startswith(("equivalent: ", "accepted: ")):
            wrong.append(f"{name} (line {record.line})\n  survives without a reason: add a test, or a reason")
        elif is_core(file) and not reason.startswith("equivalent: "):
            wrong.append(f"{name} (line {record.line})\n  survives in the residency core: only an equivalent one may")
        if not record.killed and reason.startswith("equivalent: "):
            continue
        total[file] += 1
        killed[file] += record.killed
    for file in sorted(total):
        print(f"{killed[file]:5} of {total[file]:5}  {100 * killed[file] / total[file]:5.1f} %  {file}")
    share = 100 * killed.total() / max(1, total.total())
    print(f"{killed.total():5} of {total.total():5}  {share:5.1f} %  together, equivalent ones left out")
    if share < LEAST_PERCENT:
        wrong.append(f"{share:.1f} % are killed, at least {LEAST_PERCENT} % must be")
    return wrong

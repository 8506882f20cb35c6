"""What other people's judges have against the declared objects: `python bench/judges`.

Renders the stacks of both environments as plain manifests, gives them to kube-score and checkov, and writes
docs/outside-judges.md. Ends with code 1 when a finding has no reason in explained.yaml, or a reason no finding.
The judges are not pinned with the project: bench/README.md says how to install them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support"), str(REPOSITORY / "tests" / "graph")]

from judges import JUDGES, Finding, version_of  # noqa: E402 the folders above come first
from outside_page import Reasons, page, unexplained  # noqa: E402
from rendered import render  # noqa: E402

PAGE = REPOSITORY / "docs" / "outside-judges.md"


def main() -> int:
    """Judge, write the page, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for judge in JUDGES:
        parser.add_argument(f"--{judge}", type=Path, default=Path(judge), help="its program; else found on PATH")
    wanted = vars(parser.parse_args())
    programs = {judge: wanted[judge.replace("-", "_")] for judge in JUDGES}
    reasons: Reasons = {
        (judge, rule): found
        for judge, rules in yaml.safe_load((HERE / "explained.yaml").read_text()).items()
        for rule, found in rules.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        counts = render(Path(folder))
        findings = {stack: [*_judged(programs, Path(folder) / f"{stack}.yaml")] for stack in counts}
    versions = {judge: version_of(judge, program) for judge, program in programs.items()}
    PAGE.write_text(page(versions, counts, findings, reasons))
    faults = [*unexplained(findings, reasons)]
    for fault in faults:
        sys.stderr.write(f"error: {fault}\n")
    sys.stdout.write(f"{PAGE.relative_to(REPOSITORY)}: {sum(map(len, findings.values()))} findings\n")
    return 1 if faults else 0


def _judged(programs: Mapping[str, Path], file: Path) -> Iterable[Finding]:
    for judge, ask in JUDGES.items():
        sys.stdout.write(f"{judge}: {file.stem}\n")
        sys.stdout.flush()
        yield from ask(programs[judge], file)


if __name__ == "__main__":
    sys.exit(main())

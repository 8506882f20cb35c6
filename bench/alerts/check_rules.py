"""Checks the alerts with Prometheus' own promtool: `python bench/alerts/check_rules.py`.

Builds promtool from go.mod beside this file into a folder of the user's cache when it is not there yet (eleven minutes
of processor time, 132 MB), or takes the one of --promtool. Runs `check rules` and `test rules`, and adds a line to
bench/results/alerts.jsonl with the hashes of the files; tests/model/test_alerts.py wants it to be of today's text.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(REPOSITORY))

from lab.tools.go_toolchain import find_caches  # noqa: E402 the folder above comes first
from runbooks.alerts.rules import RULES, TESTS, load_alerts  # noqa: E402
from shopsphere.foundation.paths import cache_directory  # noqa: E402

VERSION = "v0.309.0"
RESULTS = REPOSITORY / "bench" / "results" / "alerts.jsonl"
BUILD_SECONDS, CHECK_SECONDS = 3600, 600


def built() -> Path:
    """Return our own promtool, built when it is not there."""
    target = cache_directory() / "bench" / f"promtool-{VERSION}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    caches = find_caches()
    command = ["go", "build", "-ldflags", "-s -w", "-o", str(target), "github.com/prometheus/prometheus/cmd/promtool"]
    sys.stdout.write(f"building promtool {VERSION}\n")
    began = time.monotonic()
    subprocess.run(command, cwd=HERE, env={**os.environ, **caches.environment}, timeout=BUILD_SECONDS, check=True)
    caches.trim()
    sys.stdout.write(f"built in {time.monotonic() - began:.0f} s\n")
    return target


def main() -> int:
    """Check, add a line to the results, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promtool", type=Path, help=f"a promtool of {VERSION}; else it is built")
    program = parser.parse_args().promtool or built()
    passed = True
    for words in (["check", "rules", "--lint-fatal", RULES.name], ["test", "rules", TESTS.name]):
        done = subprocess.run([program.absolute(), *words], cwd=RULES.parent, timeout=CHECK_SECONDS, check=False)
        passed = passed and done.returncode == 0
    line = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "promtool": VERSION,
        "passed": passed,
        "alerts": len(load_alerts()),
        "files": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (RULES, TESTS)},
    }
    with RESULTS.open("a") as results:
        results.write(json.dumps(line) + "\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

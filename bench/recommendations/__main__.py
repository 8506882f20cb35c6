"""How good recommendations are and what they cost: `python bench/recommendations` with one of these words.

  tune     finds weights on days of Serenade's training file and on its validation file; the test file stays closed
  quality  MRR@20 and HR@20 on valid and test with the weights in the code, beside what else could answer
  speed    a million made-up sessions of 100,000 products: index, building, answers quiet and while it is rebuilt;
           then as `service`
  service  `shop recommend` on one core at 1,000 questions a second over HTTP: quiet, while indexes are made and
           swapped, and the same answers behind Granian

Each adds a line to bench/results/recommendations.jsonl. No lab, no network, no root.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from judging_rows import as_serenade, as_the_shop, going_on, of_fold, quality, ranks  # noqa: E402 the path comes first
from rivals import LAST_ALONE, Published, popular  # noqa: E402
from serenade import read, told  # noqa: E402
from service import service  # noqa: E402
from speed import measure  # noqa: E402
from trials import ASKERS, tune  # noqa: E402

from app.recommendations.neighbours import TUNED  # noqa: E402

RESULTS = REPOSITORY / "bench" / "results" / "recommendations.jsonl"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("tune", "quality", "speed", "service"))
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--asker", choices=ASKERS, default=ASKERS[0], help="whose MRR@20 is made high")
    parser.add_argument("--seconds", type=float, default=200, help="of tuning; then the same command goes on")
    parser.add_argument("--sessions", type=int, default=1_050_000, help="made up; the index keeps a million")
    parser.add_argument("--requests", type=int, default=4000, help="of each run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


def qualities() -> dict[str, Any]:
    """Of the weights in the code, and of the others, on both files; as Serenade asks, and as the shop does."""
    train, found = read("train"), dict[str, Any]()
    for part in ("valid", "test"):
        fold = told(part, train, read(part))
        index = of_fold(fold)
        answers = {
            "these weights": as_serenade(index, TUNED),
            "VMIS-kNN as published": Published(train).answer,
            "the last product alone": as_serenade(index, LAST_ALONE),
            "most looked at": popular(index),
        }
        lines = {name: asdict(quality(ranks(answer, fold.asked))) for name, answer in answers.items()}
        shop = as_the_shop(index, TUNED)
        lines["these weights, as the shop asks"] = asdict(quality(ranks(shop, fold.asked)))
        other = going_on(fold.asked)
        lines["the same, of visitors who go on to another product"] = asdict(quality(ranks(shop, other)))
        found[part] = lines
    return {"weighting": asdict(TUNED), **found}


def record(path: Path, what: str, result: dict[str, Any]) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True, cwd=REPOSITORY
    ).stdout.strip()
    line = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}",
        "load_average": round(os.getloadavg()[0], 1),
        "commit": commit,
        "command": f"python bench/recommendations {' '.join(sys.argv[1:])}",
        "what": what,
        **result,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as sink:
        sink.write(json.dumps(line) + "\n")
    print(json.dumps(line, indent=1))


def main() -> int:
    options = arguments()
    result: dict[str, Any] | None
    if options.what == "tune":
        result = tune(options.trials, options.seed, options.seconds, options.asker)
    elif options.what == "quality":
        result = qualities()
    else:
        served = {"service": service(options.sessions, options.runs, options.seed)}
        alone = options.what == "service"
        result = served if alone else measure(options.sessions, options.requests, options.runs, options.seed) | served
    if result is not None:
        record(options.results, options.what, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Whether the noise keeps its claim: an audit of 100,000 draws with and without one visitor: `python bench/export`.

Draws go the way of a release (bounded counts, OpenDP's noise, publication from 50 on), and what is published is judged:
a lower bound of epsilon at delta 1e-7, wrong with a chance of less than 1e-8, and how far one visitor moves the sums.
At 200 visitors a cell everything is published; at 50 half of the cells are withheld, which must tell nothing more.
Beside them two mechanisms that do not keep the claim, so that one sees that the audit would notice: noise of scale 3,
and a visitor who adds to 400 cells in place of 10 (5,000 draws).

Each run appends a line for each mechanism to bench/results/export.jsonl. Ends with code 1 if a bound is above the
claim, or if the audit has not noticed one of the two. It needs OpenDP, and 5 minutes of one core at 100,000 draws.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from auditing import epsilon_at_least, published_sums, shift

from app.export.budget import DAY_RHO_MICRO, DELTA, epsilon
from app.export.noise import VISITOR_CELLS, DiscreteGaussian, Sampler

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results" / "export.jsonl"
CLAIM = epsilon(DAY_RHO_MICRO)


class Unclaimed:
    """Noise that says of itself what it does not keep, so that it may be drawn."""

    def __init__(self, sampler: Sampler) -> None:
        self.noisy = sampler.noisy

    def rho(self) -> float:
        return 0.0


MECHANISMS: dict[str, tuple[float, int, int, bool]] = {
    "the export's": (10.0, 200, 10, True),
    "the export's, at the edge of publication": (10.0, 50, 10, True),
    "scale 3": (3.0, 200, 10, False),
    "400 cells of a visitor": (10.0, 200, 400, False),
}
"""Scale, visitors beside the one, cells of a visitor, and whether it is to keep the claim."""


def audit(name: str, draws: int) -> dict[str, object]:
    """Return what the draws of one mechanism tell."""
    scale, base, cells, keeps = MECHANISMS[name]
    sampler = Unclaimed(DiscreteGaussian(scale))
    draws = draws if cells == VISITOR_CELLS else draws // 20
    began = time.process_time()
    without, present = (published_sums(draws, sampler, base, added, cells) for added in (0, 1))
    found, moved = epsilon_at_least(without, present, DELTA), shift(without, present)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip(),
        "mechanism": name,
        "draws": draws,
        "claimed_epsilon": round(CLAIM, 3),
        "epsilon_at_least": round(found, 3),
        "mu": round(moved.mu, 4),
        "mu_error": round(moved.error, 4),
        "claimed_mu": round((2 * DAY_RHO_MICRO / 1e6) ** 0.5, 4),
        "processor_seconds": round(time.process_time() - began, 1),
        "is_as_expected": (found <= CLAIM) is keeps,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100_000, help="with the visitor, and as many without")
    parser.add_argument("--mechanism", choices=list(MECHANISMS), action="append", help="all if none is named")
    parser.add_argument("--results", type=Path, default=RESULTS)
    wanted = parser.parse_args()
    wrong = 0
    for name in wanted.mechanism or MECHANISMS:
        told = audit(name, wanted.draws)
        print(json.dumps(told), flush=True)
        with wanted.results.open("a") as results:
            results.write(json.dumps(told) + "\n")
        wrong += not told["is_as_expected"]
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

"""All pages of the shop in a real browser, on this machine, without a lab: `python bench/pages`.

Starts PostgreSQL, the simulated provider, the payments service and the storefront on loopback, then walks through every
state of the pages at 390 and 1440 px with axe-core, and once more without JavaScript. Ends with code 1 when there is a
finding or a state that could not be reached. `--lighthouse RUNS` measures the main pages with Lighthouse instead, and
`--report` looks at headquarters' pages, of releases that the tests know.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "support"))
sys.path.insert(0, str(HERE.parents[1] / "tests" / "app"))
sys.path.insert(0, str(HERE.parents[1]))

from backstage import backstage  # noqa: E402 the folders above come first
from shown_report import look_at_report  # noqa: E402
from walked_shop import StartedShop  # noqa: E402

RESULTS = HERE.parent / "results" / "lighthouse.jsonl"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screenshots", type=Path, help="folder that gets a picture of every state")
    parser.add_argument("--only", help="one of 390, 1440 and noscript")
    parser.add_argument("--walk", help="one of the names in journey.js")
    parser.add_argument("--lighthouse", type=int, metavar="RUNS", help="measure with Lighthouse, so often")
    parser.add_argument("--report", action="store_true", help="headquarters' pages")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file that gets a line for each measured page")
    return parser.parse_args()


def main() -> int:
    wanted = arguments()
    if wanted.report:
        return look_at_report(wanted.screenshots)
    shop = StartedShop()
    try:
        if wanted.lighthouse:
            command = ["node", "lighthouse.js", shop.url, str(wanted.lighthouse), str(wanted.results.resolve())]
            return subprocess.run(command, cwd=HERE, check=False).returncode
        command = ["node", "look.js", shop.url]
        if wanted.screenshots:
            wanted.screenshots.mkdir(parents=True, exist_ok=True)
            command += ["--screenshots", str(wanted.screenshots.resolve())]
        for option, value in (("--only", wanted.only), ("--walk", wanted.walk)):
            command += [option, value] if value else []
        with backstage(shop.act) as address:
            return subprocess.run([*command, "--backstage", address], cwd=HERE, check=False).returncode
    finally:
        shop.close()


if __name__ == "__main__":
    sys.exit(main())

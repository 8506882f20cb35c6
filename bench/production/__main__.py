"""docs/production.md, followed by a program at hosts with systemd: `python bench/production`.

As root. It starts twelve hosts with systemd as PID 1 in namespaces of their own (nothing of them is in this machine's
network or file system), and does at them what the page says, step by step: its blocks of shell as written, and its
words as page.yaml has them. Only names that are listed there are replaced; most addresses are the page's own. What the
page leaves to the owner is there as well: clusters with a node each, name servers, registry, CDN and archive. Packages
are this machine's, and a key management hides nothing.

What is not done, or not as written, is printed with its reason. Ends with 1 when something did not come out as the page
says, with 2 when the table is not the page's. It needs the tools and images that the lab has built (`shopsphere lab
prepare`) and crane, 6 GB of memory, and half an hour. The lab may run beside it.
"""

import argparse
import sys
import time
from pathlib import Path

from followed import Follower
from kernel import require_kernel
from owner import make_mirror, make_secrets
from page_blocks import the_page
from page_table import problems, read_table
from systemd_hosts import hosts_for_a_run


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--last", default="", metavar="STEP", help="stop after this step of the table")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write all of it there, also what is not shown")
    parser.add_argument("--look", action="store_true", help="wait at the end, until Enter, to look at the hosts")
    return parser.parse_args()


def main() -> int:
    wanted = arguments()
    table, page = read_table(), the_page()
    if (found := problems(table, page)) and not wanted.last:
        print("\n".join(["error: the table is not the page's", *found]), file=sys.stderr)
        return 2
    lines: list[str] = []

    def say(text: str, whole: str = "") -> None:
        print(text, flush=True)
        lines.append(whole or text)

    require_kernel()
    began = time.monotonic()
    with hosts_for_a_run(table.hosts) as hosts:
        make_secrets(hosts.shared)
        make_mirror(hosts.shared)
        for name, address in table.hosts.items():
            hosts.start(name, f"{address}/24", writes=name == "operations")
        say(f"{len(hosts.running)} hosts with systemd as PID 1 after {time.monotonic() - began:.0f} s")
        follower = Follower(hosts, table, page, say)
        for act in table.acts:
            follower.follow(act)
            if wanted.last and act.step == wanted.last and act is [a for a in table.acts if a.step == wanted.last][-1]:
                break
        if wanted.look:
            input(
                f"hosts: {', '.join(f'{each.name} is {each.pid}' for each in hosts.running.values())}; Enter ends them"
            )
    changed, skipped = sum(bool(act.because) for act in table.acts), sum(bool(act.skip) for act in table.acts)
    say(
        f"\n{follower.commands} commands in {time.monotonic() - began:.0f} s; {changed} blocks not as written, "
        f"{skipped} skipped, {len(follower.failures)} failures"
    )
    for each in follower.failures:
        say(f"  {each}")
    if wanted.record:
        wanted.record.write_text("\n".join(lines) + "\n")
    return 1 if follower.failures else 0


if __name__ == "__main__":
    sys.exit(main())

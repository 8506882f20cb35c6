"""The pages that are made from the rules: `python -m policies.catalogue --write` brings them up to date.

docs/policies.md has the rules, docs/listed-types.md what a stack may declare, and docs/admission-example.yaml what one
site's API server applies.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import groupby

from policies.admission.printed import guard_yaml, site_yaml
from policies.fleet.rules import FLEET_RULES, FleetRule
from policies.listing.page import listing_page
from policies.registry import discover
from policies.rule import ResourceRule, Rule
from shopsphere.estate.stack import Environment
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

DOCS = REPOSITORY / "docs"
EXAMPLE_SITE, EXAMPLE_USER = "frankfurt", "platform-deployment"
EXAMPLE = f"""# What the API server of {EXAMPLE_SITE} applies in the lab; after that, the guard of them for a user
# {EXAMPLE_USER}. Made by `python -m policies.catalogue --write`; a test compares it with the code, so that
# a change of what clusters enforce is seen in a review. `shopsphere policy admission SITE` prints those of any site and
# environment, `shopsphere policy guard USER` the guard.
"""
FAMILIES = {
    "EVT": "Event log: what it keeps, how long, and for whom",
    "RES": "Residency: whose data may be where",
    "LIM": "Limits: racks and watts that a site has",
    "NET": "Network: ways in and out of a site",
    "SEC": "Security: what pods may be, and where their programs come from",
}
"""What each family of rules is about; a new family needs an entry here."""
HEAD = """# Policies

Made from the rules by `python -m policies.catalogue --write`; a test compares it with them. Change a
rule to change this page.

Every rule is mandatory: a preview or an update that violates one fails. A value that is not known before the update is
a violation too, for nobody can tell where it would lead. A message says the rule, the resource, what was found, what
is allowed and what to do. `policies/<family>/<rule>.py` is the rule, `tests/model/policy_cases/` has its cases: what it
lets pass, what it refuses, what it cannot know and what is none of its business.

`shopsphere policy check --all` asks the same rules about every stack of an environment, without Pulumi's engine, a
state or a cluster, and looks at all stacks together (below). Exit code 0: clean; 6: a policy is violated; 4: nothing
is, but not everything could be known.
"""
FLEET = """## Fleet: the ways through all stacks

Each resource may be allowed, and data leaves all the same: by way of a replica, a collector of logs or an exporter in
another stack. So the check makes a graph of all stores and flows, with the class that a store holds by its label, by
the tables of workloads and databases, and by what it reads; a violation is a path, like
`ledger-frankfurt (payment, eu) -> replication -> ledger-dublin -> export -> newyork`. Who is at no site of
`topology.yaml` is outside, and receives what a CDN may carry; the payment provider also receives payments. A peer that
no stack declares holds what its member holds. What a program does with what it reads is not known: it passes on all.

`--format json`, `sarif` (2.1.0, for code scanning; the path is a code flow) and `junit` are for CI.
"""
RESOURCE, STACK = "before the resource is created or changed", "in the preview, over all resources of a stack"


def page(rules: Iterable[Rule]) -> str:
    """Return the page of these rules, which are sorted by id."""
    parts = [HEAD]
    for family, members in groupby(rules, key=lambda rule: rule.id.partition("-")[0]):
        parts.append(f"## {FAMILIES[family]}\n")
        parts += map(_entry, members)
    parts.append(FLEET)
    parts += map(_way, FLEET_RULES)
    return "\n".join(parts)


def _entry(rule: Rule) -> str:
    lines = [
        f"### {rule.id} {rule.name}\n",
        f"{rule.reason}\n",
        f"- Severity: {rule.severity.value}",
        f"- Judged: {RESOURCE if isinstance(rule, ResourceRule) else STACK}",
        f"- What to do: {rule.remediation}",
    ]
    if rule.url:
        lines.append(f"- More: {rule.url}")
    return "\n".join([*lines, ""])


def _way(rule: FleetRule) -> str:
    ways = ", ".join(kind.value for kind in rule.kinds)
    lines = [f"### {rule.id} {rule.name}\n", f"{rule.reason}\n", f"- Ways: {ways}", f"- What to do: {rule.remediation}"]
    return "\n".join([*lines, ""])


def pages() -> dict[str, str]:
    """Return the text of each page by its file's name in docs/."""
    topology = load_topology()  # one node a site, and not what `lab up --nodes` left beside it on this machine
    example = site_yaml(topology, EXAMPLE_SITE, Environment.LAB)
    return {
        "policies.md": page(discover()),
        "listed-types.md": listing_page(),
        "admission-example.yaml": f"{EXAMPLE}{example}---\n{guard_yaml([EXAMPLE_USER])}",
    }


def main() -> None:
    """Say which pages are not up to date, or write them."""
    parser = argparse.ArgumentParser(prog="python -m policies.catalogue", description="The pages made from the rules.")
    parser.add_argument("--write", action="store_true", help="bring them up to date")
    is_written = parser.parse_args().write
    old = {name: text for name, text in pages().items() if not _is_current(name, text)}
    for name, text in old.items():
        if is_written:
            (DOCS / name).write_text(text)
        sys.stdout.write(f"docs/{name} {'written' if is_written else 'is old: run with --write'}\n")
    sys.exit(1 if old and not is_written else 0)


def _is_current(name: str, text: str) -> bool:
    return (DOCS / name).exists() and (DOCS / name).read_text() == text


if __name__ == "__main__":
    main()

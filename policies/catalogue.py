"""The page with all rules: `python -m policies.catalogue` prints it, `--write` brings docs/policies.md up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import groupby

from policies.fleet.rules import FLEET_RULES, FleetRule
from policies.registry import discover
from policies.rule import ResourceRule, Rule
from shopsphere.foundation.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "policies.md"
FAMILIES = {
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


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(prog="python -m policies.catalogue", description="The page with all rules.")
    parser.add_argument("--write", action="store_true", help=f"bring {PAGE.relative_to(REPOSITORY)} up to date")
    text = page(discover())
    if parser.parse_args().write:
        PAGE.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()

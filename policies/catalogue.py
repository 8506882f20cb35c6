"""The page with all rules: `python -m policies.catalogue` prints it, `--write` brings docs/policies.md up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import groupby

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
"""
RESOURCE, STACK = "before the resource is created or changed", "in the preview, over all resources of a stack"


def page(rules: Iterable[Rule]) -> str:
    """Return the page of these rules, which are sorted by id."""
    parts = [HEAD]
    for family, members in groupby(rules, key=lambda rule: rule.id.partition("-")[0]):
        parts.append(f"## {FAMILIES[family]}\n")
        parts += map(_entry, members)
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

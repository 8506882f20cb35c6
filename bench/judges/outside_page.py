"""The page about what others' judges have against the declared objects, and whether its reasons still fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from judges import Finding

from shopsphere.foundation.markdown import cell

Reasons = Mapping[tuple[str, str], Mapping[str, str]]
"""By judge and rule: the reason by pattern of `Kind/namespace/name`."""
Seen = Mapping[tuple[str, str], Mapping[str, set[str]]]
"""By judge and rule: the stacks by object."""


def seen(findings: Mapping[str, Sequence[Finding]]) -> Seen:
    """Return the stacks in which each object has each finding."""
    found: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for stack, all_of_it in findings.items():
        for each in all_of_it:
            found[each.judge, each.rule][each.object].add(stack)
    return found


def fitting(name: str, patterns: Iterable[str]) -> str | None:
    """Return the first pattern that an object's name fits."""
    return next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)


def unexplained(findings: Mapping[str, Sequence[Finding]], reasons: Reasons) -> Iterable[str]:
    """Yield what is wrong with the reasons: a finding without one, one without a finding."""
    found = seen(findings)
    for rule, objects in found.items():
        patterns = reasons.get(rule, {})
        for name in objects:
            if fitting(name, patterns) is None:
                yield f"{' '.join(rule)}: {name} has no reason: mend it, or write one into bench/judges/explained.yaml"
    for rule, patterns in reasons.items():
        for pattern in patterns:
            if not any(fitting(name, patterns) == pattern for name in found.get(rule, {})):
                yield f"{' '.join(rule)}: nothing matches {pattern}: take it out of bench/judges/explained.yaml"


def page(
    versions: Mapping[str, str],
    counts: Mapping[str, int],
    findings: Mapping[str, Sequence[Finding]],
    reasons: Reasons,
) -> str:
    """Return the page: each rule that has something to say, where, and the answer."""
    asks = {(each.judge, each.rule): each.asks for found in findings.values() for each in found}
    lines = [
        "# What other people's judges say",
        "",
        "Made by `python bench/judges` from the objects that the committed stacks declare, in both environments,",
        f"production filled in as in the tests: {sum(counts.values())} objects in {len(counts)} stacks. Judges: "
        + ", ".join(f"{judge} {version}" for judge, version in versions.items())
        + ".",
        "What they do not know are the operator's clusters: the pods of databases are made by CloudNativePG.",
        "",
        "Not tried: kube-linter and kubescape (they could not be installed), and kubeconform (its schemas come from a",
        "server of their own; the preview ring sends every object to a real API server instead).",
        "",
        "| judge | rule | asks | objects | answer |",
        "|---|---|---|---|---|",
    ]
    found = seen(findings)
    for rule in sorted(found):
        patterns = reasons.get(rule, {"*": "none yet"})
        for pattern, reason in patterns.items():
            names = sorted(name for name in found[rule] if fitting(name, patterns) == pattern)
            stacks = {stack for name in names for stack in found[rule][name]}
            where = f"{', '.join(names)}; {len(stacks)} stacks"
            lines.append(f"| {rule[0]} | `{rule[1]}` | {cell(asks[rule])} | {where} | {cell(reason)} |")
    return "\n".join([*lines, ""])

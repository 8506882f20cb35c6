"""Evidence as text for people."""

from __future__ import annotations

from collections import Counter, defaultdict

from shopsphere.foundation.columns import UNBOUNDED, folded
from shopsphere.residency.evidence import Evidence
from shopsphere.residency.looking import PlaceReport, Verdict

_BELOW = " " * 4
_MIB = 1 << 20


def as_text(evidence: Evidence, width: int = UNBOUNDED) -> str:
    """Return the leaks, then what is not proven, the coverage by host, what was not searched, and a summary.

    Args:
        evidence: of one proof.
        width: of the terminal, in characters.
    """
    lines: list[str] = []
    for each in evidence.places:
        lines += _place(each, width)
    lines += [*_coverage(evidence, width), ""]
    lines.append("not searched:")
    for what, why in evidence.not_searched.items():
        lines += folded(f"{what}: {why}", width, first=_BELOW, indent=_BELOW * 2)
    return "\n".join([*lines, "", *folded(_summary(evidence), width)])


def _place(report: PlaceReport, width: int) -> list[str]:
    where = f"{report.at}: {report.place}"
    lines: list[str] = []
    for leak in report.leaks:
        head = f"LEAK  {where}: {leak.token} as {leak.form}, {leak.count} times"
        lines += [*folded(head, width, indent=_BELOW), *folded("; ".join(leak.positions), width, first=_BELOW), ""]
    if report.verdict is not Verdict.CLEAN and report.problems:
        told = "; ".join(report.problems)
        lines += [*folded(f"{where}: {told}", width, first="NOT PROVEN  ", indent=_BELOW), ""]
    return lines


def _coverage(evidence: Evidence, width: int) -> list[str]:
    by_host: defaultdict[str, list[PlaceReport]] = defaultdict(list)
    for each in evidence.places:
        by_host[each.at].append(each)
    lines = ["looked at:"]
    for at, reports in sorted(by_host.items()):
        octets, unchanged = (sum(getattr(each, name) for each in reports) for name in ("octets", "unchanged"))
        told = (
            f"{at}: {len(reports)} places ({_kinds(reports)}), {octets / _MIB:.0f} MiB in "
            f"{sum(each.items for each in reports)} items, {unchanged / _MIB:.0f} MiB unchanged since the planting, "
            f"{sum(each.seconds for each in reports):.0f} s"
        )
        lines += folded(told, width, first=_BELOW, indent=_BELOW * 2)
    return lines


def _kinds(reports: list[PlaceReport]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(each.kind for each in reports).items()))


def _summary(evidence: Evidence) -> str:
    counts = Counter(each.verdict for each in evidence.places)
    told = ", ".join(f"{counts[each]} {each}" for each in Verdict if counts[each])
    tokens = sum(map(len, evidence.tokens.values()))
    return f"{evidence.verdict}: {told or 'no place'}; {tokens} tokens in {evidence.forms} forms"

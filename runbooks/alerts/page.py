"""docs/alerts.md, made from rules and registry: `python -m runbooks.alerts.page --write` brings it up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator

from runbooks.alerts.rules import Alert, AlertSeverity, filled, load_alerts
from runbooks.metrics.metric import PAIR
from runbooks.metrics.registry import METRICS
from runbooks.metrics.sources import SOURCES
from shopsphere.foundation.markdown import cell
from shopsphere.foundation.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "alerts.md"
HEAD = """# Alerts

Made from `runbooks/alerts/shopsphere.rules.yaml` and `runbooks/metrics/` by `python -m runbooks.alerts.page --write`; a
test compares it with them.

## Setting it up

One exporter per jurisdiction, or one for all, at a place of the operators that reaches witness, agents and clusters:

```
shopsphere metrics rdc-a --environment prod --listen 10.0.0.5:9469     # until interrupted; --once prints and ends
```

```
rule_files: [shopsphere.rules.yaml]
scrape_configs:
  - job_name: shopsphere
    scrape_interval: 15s
    scrape_timeout: 5s
    static_configs: [{targets: ["10.0.0.5:9469"]}]
```

- It asks what `status` and `ready` ask, with the same credentials, read-only. It reads a site's secrets for the dates
  of certificates, and enters pods for what databases and shop say: beside reading lists it needs `pods/exec` and `list`
  of secrets.
- It has no access control: without `--listen` this machine alone reaches it. What it tells are names of sites, dates
  and numbers, of the data class `operational`; nothing of a customer.
- Each source is asked at its own pace and has its own bound. A scrape is answered at once, from what was heard last.
  What did not answer when it was asked last has no figures, and `shopsphere_source_up` is 0: no figure stands still.
- Have Prometheus watched by something else: an alert that never comes is no alert. `ExporterSilent` tells only that the
  exporter is silent, not that Prometheus is.

`page` wakes a person; `ticket` can wait for working hours. Each command is read-only, or a dry run until `--execute` is
added. PAIR and SITE stand for what the alert names. In production add `--environment prod` to each.
"""
TITLES = {AlertSeverity.PAGE: "Pages", AlertSeverity.TICKET: "Tickets"}
EXTENDING = """## Adding a figure

1. An entry in `runbooks/metrics/registry.py`: name with its unit, meaning, labels with few values.
2. A source in `runbooks/metrics/sources/` that asks for it and names it, listed in that folder's `__init__.py`. What it
   raises is "no answer"; what is not known has no sample.
3. Figures that no source has yet are `awaited`: their alerts exist, and are silent. The source takes the word away.

An alert needs its tests in `shopsphere.tests.yaml` (silent just before its time, firing just after it, silent during a
failover), and `python bench/alerts/check_rules.py` run again.
"""


def page() -> str:
    """Return the text of the page."""
    alerts = load_alerts()
    parts = [HEAD]
    for severity, title in TITLES.items():
        parts.append(f"## {title}\n\n| alert | after | means | type first |\n|---|---|---|---|")
        parts += (_row(each) for each in alerts if each.labels.severity is severity)
        parts.append("")
    parts.append("## Figures\n\n| metric | labels | asked | meaning |\n|---|---|---|---|")
    return "\n".join([*parts, *_metrics(), "", EXTENDING])


def _row(alert: Alert) -> str:
    summary, command, then = (filled(text, _Places()) for text in alert.texts)
    commands = f"`{command}`" + (f", then `{then}`" if then else "")
    return f"| {alert.alert} | {alert.waits} | {cell(summary)} | {commands} |"


def _metrics() -> Iterator[str]:
    paces = {metric.name: f"every {source.every:g} s" for source in SOURCES for metric in source.metrics}
    for metric in METRICS.values():
        pace = "awaited" if metric.awaited else paces.get(metric.name, "always")
        yield f"| `{metric.name}` | {_labels(metric.labels)} | {pace} | {cell(metric.meaning)} |"


def _labels(labels: Iterable[str]) -> str:
    return ", ".join((PAIR, *labels))


class _Places(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key.upper()


def main() -> None:
    """Say whether the page is up to date, or write it."""
    parser = argparse.ArgumentParser(prog="python -m runbooks.alerts.page", description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring it up to date")
    is_written = parser.parse_args().write
    text = page()
    if PAGE.exists() and PAGE.read_text() == text:
        return
    if is_written:
        PAGE.write_text(text)
    name = PAGE.relative_to(REPOSITORY)
    sys.stdout.write(f"{name} {'written' if is_written else 'is old: run with --write'}\n")
    sys.exit(0 if is_written else 1)


if __name__ == "__main__":
    main()

"""The alerts: figures that exist, commands that can be typed, tests for each, and the page that is made of them."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from typer.main import get_command

from cli import common
from cli import main as cli
from runbooks.alerts.page import PAGE, page
from runbooks.alerts.rules import RULES, TESTS, Alert, AlertSeverity, RulesError, filled, load_alerts
from runbooks.metrics.registry import METRICS
from shopsphere.foundation.paths import REPOSITORY

ALERTS = load_alerts()
NAMES = [each.alert for each in ALERTS]
LABELS = {
    "pair": "rdc-a", "site": "frankfurt", "database": "ledger", "voter": "newyork", "phase": "fencing", "check": "P1",
    "source": "agent", "namespace": "gateway", "secret": "gateway-tls", "key": "tls.crt",
}  # fmt: skip
CHECKED = REPOSITORY / "bench" / "results" / "alerts.jsonl"
SELECTOR = re.compile(r"(shopsphere_[a-z_]+)\{([^}]*)\}")
GROUPING = re.compile(r"\b(?:on|by) \(([a-z, ]*)\)")


@pytest.mark.requirement("what an operator has to be woken for has an alert")
def test_nothing_of_the_list_is_missing() -> None:
    pages = {each.alert for each in ALERTS if each.labels.severity is AlertSeverity.PAGE}
    assert pages >= {
        "PairTakesNoWrites", "TwoSitesTakeWrites", "LeaseHeldByNobody", "CopyFarBehind", "SyncOff", "PaymentWaits",
        "BackupOld", "ArchiveSilent", "LogNotArchived", "CertificateEndsSoon", "WitnessAlmostFull", "FenceNotProven",
        "ExporterSilent",
    }  # fmt: skip
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.requirement("a rule names only figures and labels that the exporter has")
@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_a_rule_names_figures_that_exist(alert: Alert) -> None:
    assert alert.metrics
    assert alert.metrics <= set(METRICS)
    known = {"pair"}.union(*(METRICS[name].labels for name in alert.metrics))
    for name, matchers in SELECTOR.findall(alert.expr):
        assert set(re.findall(r"([a-z]+)[=!]", matchers)) <= {"pair", *METRICS[name].labels}
    for grouping in GROUPING.findall(alert.expr):
        assert set(grouping.replace(" ", "").split(",")) <= known
    assert "{{" not in re.sub(r"\{\{ \$labels\.[a-z]+ \}\}", "", " ".join(alert.texts))
    assert alert.labels_read <= known


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_a_text_reads_only_labels_that_the_alert_has(alert: Alert) -> None:
    """By the tests of promtool, whose expected labels are written by hand."""
    of_it = list(expected_labels(alert.alert))
    assert of_it
    for labels in of_it:
        assert alert.labels_read <= labels


@functools.cache
def promtool_tests() -> list[dict[str, Any]]:
    document: dict[str, Any] = yaml.load(TESTS.read_text(), Loader=yaml.CSafeLoader)
    assert document["rule_files"] == [RULES.name]
    return list(document["tests"])


def expected_labels(alert: str) -> Iterator[set[str]]:
    """Yield the labels of each expected alert of this name."""
    for test in promtool_tests():
        for asked in test.get("promql_expr_test", []):
            for sample in asked.get("exp_samples", []):
                if sample["labels"].startswith("ALERTS") and f'alertname="{alert}"' in sample["labels"]:
                    yield set(re.findall(r'([a-z]+)="', sample["labels"]))


@pytest.mark.requirement("each alert was seen firing, and seen silent just before")
@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_has_its_tests(alert: Alert) -> None:
    question = f'ALERTS{{alertname="{alert.alert}",alertstate="firing"}}'
    firing = silent = 0
    for test in promtool_tests():
        of_it = [each for each in test.get("promql_expr_test", []) if each["expr"] == question]
        if of_it:
            silent += not of_it[0].get("exp_samples")
            severity = f'severity="{alert.labels.severity}"'
            firing += sum(severity in sample["labels"] for each in of_it for sample in each.get("exp_samples", []))
    assert firing == silent > 0


def test_failovers_are_among_the_tests() -> None:
    nothing = {test["name"] for test in promtool_tests() if {
        "expr": 'count_over_time(ALERTS{alertstate="firing"}[40m])', "eval_time": "40m"
    } in test.get("promql_expr_test", [])}  # fmt: skip
    assert nothing == {
        "a planned failover that closes the doors for half a minute wakes nobody",
        "the door that closes is seen late, so that both seem open for one look",
    }


def digests() -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (RULES, TESTS)}


@pytest.mark.requirement("the committed rules passed promtool")
def test_promtool_has_passed_these_files() -> None:
    last = json.loads(CHECKED.read_text().splitlines()[-1])
    assert last["passed"] is True
    assert last["alerts"] == len(ALERTS)
    assert last["files"] == digests(), "run `python bench/alerts/check_rules.py`"


@pytest.mark.requirement("an alert says what to type, and it can be typed")
@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_a_command_can_be_typed(alert: Alert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "lab_is_here", lambda: True)
    for text in alert.texts[1:]:
        if not text:
            continue
        program, verb, *words = shlex.split(filled(text, LABELS))
        assert program == "shopsphere"
        assert "--execute" not in words, "a command that is pasted at night changes nothing"
        command = present_command(verb)
        context = command.make_context(verb, list(words))
        if named := context.params.get("pair"):
            assert named == "rdc-a"
        if named := context.params.get("site"):
            assert named == "frankfurt"


def present_command(verb: str) -> click.Command:
    verbs = get_command(cli.app)
    assert isinstance(verbs, click.Group)
    command = verbs.get_command(click.Context(verbs), verb)
    assert command is not None, f"no verb {verb}"
    return command


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run `python -m runbooks.alerts.page --write`"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{severity: page}", "{severity: loud}", "severity"),
        ("command: shopsphere metrics all", "command: systemctl restart", "command"),
        ("for: 2m", "for: soon", "for"),
        ("alert: ExporterSilent", "record: x", "alert"),
    ],
)
def test_a_rule_that_says_too_little_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES.read_text().replace(old, new, 1))
    with pytest.raises(RulesError, match=said):
        load_alerts(file)

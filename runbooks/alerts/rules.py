"""The alerts of shopsphere.rules.yaml, as plain values."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.yaml_text import read_yaml_file

FOLDER = Path(__file__).resolve().parent
RULES, TESTS = FOLDER / "shopsphere.rules.yaml", FOLDER / "shopsphere.tests.yaml"
_METRIC = re.compile(r"\bshopsphere_[a-z_]+")
_LABEL = re.compile(r"\{\{ \$labels\.([a-z]+) \}\}")


class RulesError(ShopSphereError):
    """The file of rules is not as it has to be."""


class AlertSeverity(StrEnum):
    """`page`: wakes a person now. `ticket`: can wait for working hours."""

    PAGE = "page"
    TICKET = "ticket"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Labels(_Part):
    """What every alert is labelled with beside the labels of its figures."""

    severity: AlertSeverity


class Annotations(_Part):
    """What a person reads: what is wrong, what to type first, and what next where that is clear."""

    summary: str = Field(min_length=1)
    command: str = Field(pattern="^shopsphere ")
    then: str = Field(default="", pattern="^(shopsphere .*)?$")


class Alert(_Part):
    """One alert."""

    alert: Annotated[str, Field(pattern="^([A-Z][a-z]+)+$")]
    expr: str
    waits: str = Field(alias="for", pattern=r"^\d+[smh]$")
    labels: Labels
    annotations: Annotations

    @property
    def metrics(self) -> frozenset[str]:
        """Names of the project's metrics in its expression."""
        return frozenset(_METRIC.findall(self.expr))

    @property
    def labels_read(self) -> frozenset[str]:
        """Labels that its texts fill in."""
        return frozenset(_LABEL.findall(" ".join(self.texts)))

    @property
    def texts(self) -> tuple[str, str, str]:
        """Its three texts, before labels are filled in."""
        return self.annotations.summary, self.annotations.command, self.annotations.then


class Group(_Part):
    """Alerts that are evaluated together."""

    name: str
    interval: str
    rules: tuple[Alert, ...] = Field(min_length=1)


def load_groups(file: Path = RULES) -> tuple[Group, ...]:
    """Read the rules.

    Raises:
        RulesError: they are not as they have to be; with every place.
    """
    document = read_yaml_file(file, RulesError)
    try:
        return tuple(Group.model_validate(each) for each in document["groups"])
    except (ValidationError, KeyError, TypeError) as error:
        raise RulesError(f"{file}: no rules: {error}") from error


def load_alerts(file: Path = RULES) -> tuple[Alert, ...]:
    """Return the alerts of all groups, in their order."""
    return tuple(alert for group in load_groups(file) for alert in group.rules)


def filled(text: str, labels: dict[str, str]) -> str:
    """Return a text with its labels filled in, as Prometheus does it.

    Raises:
        KeyError: it names another label.
    """
    return _LABEL.sub(lambda found: labels[found[1]], text)

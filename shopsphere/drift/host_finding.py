"""How findings about a host's rules are called, what they say, and the command that repairs each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.repair import Repair
from shopsphere.drift.values import difference_shown
from shopsphere.estate.host_firewall import FIREWALL_TABLE
from shopsphere.estate.host_rules import FENCE_TABLE, GUARD_TABLE, PEER_FENCE_TABLE
from shopsphere.estate.nftables import Name
from shopsphere.estate.stack import Environment
from shopsphere.foundation.finding import Severity

OWN = frozenset({*(("inet", each) for each in (FENCE_TABLE, PEER_FENCE_TABLE, FIREWALL_TABLE)), ("ip", GUARD_TABLE)})
"""Tables that an agent loads again."""
ALL_HOSTS = "the rules of its hosts"
"""What cannot be seen where nothing is known of any host of a site."""
_NAME = re.compile(r"nftables (?P<family>\S+) (?P<table>\S+) at (?P<host>\S+)")


@dataclass(frozen=True)
class HostPlace:
    """A host whose rules are compared.

    Attributes:
        repair: how its site is reached.
        host: its name.
        door: path in the site's API that leads to the agent's rules.
    """

    repair: Repair
    host: str
    door: str

    def drift(
        self,
        table: Name,
        field: str,
        kind: Kind,
        severity: Severity,
        *,
        declared: str = "",
        live: str = "",
        residency: bool = False,
        repair: str = "",
    ) -> Drift:
        """Return a finding; a kernel keeps no record of who wrote a rule.

        Args:
            table: that it is about.
            field: place in it; empty for the whole.
            kind: how declared and live differ.
            severity: how bad it is.
            declared: in nft's words.
            live: the same.
            residency: whether data may leave its jurisdiction by it, or be reached from another one.
            repair: what to do; empty: have the agent load the declared rules again.
        """
        shown = difference_shown(declared, live)
        return Drift(
            site=self.repair.site,
            object=object_name(table, self.host),
            field=field,
            declared=shown[0],
            live=shown[1],
            kind=kind,
            severity=severity,
            residency=residency,
            repair=repair or self.repair.load_rules(self.door),
        )

    def nft(self, *words: str) -> str:
        """Return the command that runs nft on the host."""
        return self._on_host(("nft", *words))

    def _on_host(self, words: Sequence[str]) -> str:
        if self.repair.environment == Environment.LAB:
            return shlex.join(("shopsphere", "lab", "exec", self.host, "--", *words))
        return f"on {self.host}, as root: {shlex.join(words)}"


def object_name(table: Name, host: str) -> str:
    """Return how findings call a table of a host."""
    return f"nftables {' '.join(table)} at {host}"


def table_of(object_: str) -> tuple[Name, str] | None:
    """Return table and host of a finding's object; None where it is no table."""
    found = _NAME.fullmatch(object_)
    return ((found["family"], found["table"]), found["host"]) if found else None

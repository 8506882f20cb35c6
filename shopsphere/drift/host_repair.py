"""Has the agent of a host load its declared rules again, where nobody moves the pair and nobody deploys."""

from __future__ import annotations

from typing import Any, Protocol

from shopsphere.clients.host_rules import rules_path
from shopsphere.drift.host_finding import OWN, table_of
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError


class HostRepairError(NoAnswerError):
    """An agent did not say that it has loaded its rules."""


class Postable(Protocol):
    """What is needed of a cluster."""

    def create(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """Send a document to an API path, and return the answer."""


def is_table(object_: str) -> bool:
    """Whether a finding is about a host's rules."""
    return table_of(object_) is not None


def is_loaded_again(object_: str) -> bool:
    """Whether a finding is about a table that the agent of its host loads again."""
    found = table_of(object_)
    return found is not None and found[0] in OWN


def load_again(cluster: Postable, object_: str, port: int) -> None:
    """Have a host's agent load its rules: the guard as declared, the fence as it ordered it last.

    Args:
        cluster: of the host's site.
        object_: of the finding.
        port: of the agent.

    Raises:
        ClusterError: the API or the agent does not answer, or refuses.
        HostRepairError: something else answers, or the agent loads no such table.
    """
    table, host = _of(object_)
    path = rules_path(host, port)
    answer = cluster.create(path, {})
    if table not in (answer.get("loaded") or ()):
        raise HostRepairError.build(
            f"the agent of {host} has not loaded {table}",
            expected=f"{table} among what it loaded",
            found=str(answer)[:200],
            action="look at its configuration on the host, and start it anew",
        )


def _of(object_: str) -> tuple[str, str]:
    found = table_of(object_)
    if found is None:
        raise ShopSphereError(f"{object_} is no table of a host\n  do:       report this as a bug")
    return " ".join(found[0]), found[1]

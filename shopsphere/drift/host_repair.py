"""Has the agent of a host load its declared rules again, where nobody moves the pair and nobody deploys."""

from __future__ import annotations

from typing import Any, Protocol

from shopsphere.clients.host_rules import ask_rules, rules_path
from shopsphere.drift.host_finding import OWN, table_of
from shopsphere.estate.nftables import Document, Name, Table, canonical
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError


class HostRepairError(NoAnswerError):
    """An agent did not say that it has loaded its rules."""


class Postable(Protocol):
    """What is needed of a cluster."""

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the document at an API path."""

    def create(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """Send a document to an API path, and return the answer."""


def is_table(object_: str) -> bool:
    """Whether a finding is about a host's rules."""
    return table_of(object_) is not None


def is_loaded_again(object_: str) -> bool:
    """Whether a finding is about a table that the agent of its host loads again."""
    found = table_of(object_)
    return found is not None and found[0] in OWN


def load_again(cluster: Postable, object_: str, port: int, firewall: Table | None = None) -> None:
    """Have a host's agent load its rules: the guard as declared, the fence as it ordered it last.

    The firewall is loaded from the host's own file, which its owner brought there. So it is looked at again: a file of
    an older topology makes the host no more what is declared now.

    Args:
        cluster: of the host's site.
        object_: of the finding.
        port: of the agent.
        firewall: as declared; None where it is not compared.

    Raises:
        ClusterError: the API or the agent does not answer, or refuses.
        HostRepairError: something else answers, the agent loads no such table, or what it loads is an old one.
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
    if firewall is not None and table == " ".join(firewall.key):
        _require_as_declared(cluster, host, port, firewall)


def _require_as_declared(cluster: Postable, host: str, port: int, firewall: Table) -> None:
    found = [each for each in ask_rules(cluster, host, port).nftables if _is_of(firewall.key, each)]
    if sorted(map(canonical, found)) == sorted(map(canonical, firewall.listing())):
        return
    raise HostRepairError.build(
        f"the firewall of {host} is still another one than is declared",
        expected="a file on the host that follows from topology and stacks as they are here",
        found="one of before, or changed by hand; the agent has loaded it",
        action="`shopsphere install-files SITE --firewall ...` with your words, copy its file to the host, "
        "then `systemctl reload shopsphere-firewall` there; or bring this checkout up to date",
    )


def _is_of(key: Name, entry: Document) -> bool:
    ((kind, body),) = entry.items()
    return (body["family"], body.get("name" if kind == "table" else "table")) == key


def _of(object_: str) -> tuple[str, str]:
    found = table_of(object_)
    if found is None:
        raise ShopSphereError(f"{object_} is no table of a host\n  do:       report this as a bug")
    return " ".join(found[0]), found[1]

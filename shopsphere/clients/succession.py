"""Who may lead a database in place of its leading instance, inside its site (ADR 45), as its cluster's document says.

The site's API server judges by the same words (`policies/admission/in_site_promotion.py`): an instance that may lack
what was acknowledged is not let lead, and then the pair is moved, or the leading instance is brought back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shopsphere.clients.postgres import follows, leading_pod
from shopsphere.estate.databases import COMPLETE_COPIES, DATABASES
from shopsphere.estate.kubectl_line import SiteKubectl

_JUDGED = frozenset(each.namespace.name for each in DATABASES if each.synchronous)
"""Namespaces of the databases of which an instance may lack what was acknowledged."""


@dataclass(frozen=True)
class Succession:
    """The instances of one database at one site.

    Attributes:
        namespace: of the database.
        leading: the instance that leads.
        beside: the others.
        may_lead: those of them that may lead in its place.
    """

    namespace: str
    leading: str
    beside: tuple[str, ...]
    may_lead: tuple[str, ...]

    def without_leader(self, pair: str, kubectl: SiteKubectl) -> str:
        """Say what it means that the leading instance is lost, and what to type; empty where another one may lead.

        Args:
            pair: that the site is of.
            kubectl: how it is called at the site; pods are deleted by nobody but the cluster's owner.
        """
        if self.may_lead:
            return ""
        again = f"`{kubectl.line(None, self.namespace, 'delete', 'pod', self.beside[0])}`" if self.beside else ""
        back = f" and its pod is not made again, {again} lets the operator make it" if again else ", it leads again"
        others = ", ".join(self.beside) or "there is none"
        return (
            f"{self.leading} does not answer, and no other instance of its site may lead ({others}): it may lack "
            f"acknowledged payments. Move the pair: `shopsphere failover {pair} --unplanned`. Or bring the node of "
            f"{self.leading} back; if it is back{back}"
        )


def succession_of(document: Mapping[str, Any]) -> Succession | None:
    """Return who may lead; None where that is nobody's question: another database, a site that follows, one instance.

    Args:
        document: a CloudNativePG cluster.
    """
    metadata, spec, status = document["metadata"], document["spec"], document.get("status", {})
    beside_wanted = int(spec.get("instances") or 1) - 1
    if metadata.get("namespace") not in _JUDGED or follows(document) or not beside_wanted:
        return None
    names, leading = tuple(status.get("instanceNames") or ()), leading_pod(document)
    told = (spec.get("postgresql") or {}).get("synchronous") or {}
    count = int(told.get("maxStandbyNamesFromCluster") or 0)
    outside = len(told.get("standbyNamesPre") or ()) + len(told.get("standbyNamesPost") or ())
    is_waited_for = count > 0 and told.get("number") == outside + count and len(names) <= 1 + count
    complete = str((metadata.get("annotations") or {}).get(COMPLETE_COPIES) or "").split(",")
    beside = tuple(each for each in names if each != leading)
    return Succession(
        metadata["namespace"], leading, beside, tuple(each for each in beside if is_waited_for and each in complete)
    )

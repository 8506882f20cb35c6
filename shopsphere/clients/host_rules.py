"""What the kernels of a site's hosts enforce, asked of the agent on each host through the site's own API server.

The API server proxies to a port of a node's host for whoever may use `nodes/proxy`. So the question goes by TLS, with
the site's own credentials, and the agent needs no secret of its own.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.estate.host_rules import FENCE_TABLE
from shopsphere.estate.nftables import Document, essential
from shopsphere.estate.site_agent import RULES_PATH
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError

NODES = "/api/v1/nodes"


class HostRulesError(NoAnswerError):
    """A host's agent does not tell what its kernel enforces, or not in a form that is known here."""


class Readable(Protocol):
    """What a question to one host needs of a cluster."""

    def get(self, path: str, **query: str) -> Document:
        """Return the document at an API path."""


class Hosts(Readable, Protocol):
    """What is needed of a cluster."""

    def items_of_known_kind(self, path: str, **query: str) -> list[Document]:
        """Return the entries of a list."""


class FenceState(BaseModel):
    """What an agent told its fence.

    Attributes:
        port: of the databases.
        changing: nobody can say what the fence should be at this moment.
        seconds_left: for which clients reach the databases; 0 for closed, None for no end.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    port: int
    changing: bool
    seconds_left: float | None = Field(ge=0)


class HostRules(BaseModel):
    """What one host enforces.

    Attributes:
        site: of the host, as its agent says.
        loads: tables that the agent loads again when it is asked to.
        fence: None where the agent keeps none.
        nftables: the kernel's rules, as `nftables.essential` leaves them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1]
    site: str
    loads: tuple[str, ...]
    fence: FenceState | None
    nftables: list[dict[str, Any]]


def hosts_of(cluster: Hosts) -> list[str]:
    """Return the names of a cluster's nodes.

    Raises:
        ClusterError: the API does not answer, or refuses.
    """
    return sorted(str(each["metadata"]["name"]) for each in cluster.items_of_known_kind(NODES))


def rules_path(host: str, port: int) -> str:
    """Return where a site's API leads to the agent's door on a host: GET tells its rules, POST loads them again."""
    return f"{NODES}/http:{host}:{port}/proxy{RULES_PATH}"


def ask_rules(cluster: Readable, host: str, port: int) -> HostRules:
    """Return what a host enforces.

    Args:
        cluster: of its site.
        host: name of its node.
        port: of its agent.

    Raises:
        ClusterError: the API or the agent does not answer, or refuses.
        HostRulesError: what answers tells no rules that are known here.
    """
    path = rules_path(host, port)
    try:
        answer = cluster.get(path)
        told = HostRules.model_validate(answer)
        kept = essential(told.nftables, whole=[("inet", FENCE_TABLE)])
    except NotFoundError as error:
        raise _unusable(path, "404 Not Found", "start the agent of this version on the host; an older one") from error
    except (ValidationError, ValueError) as error:
        raise _unusable(path, str(error)[:200], "look at what answers there; an agent of another version") from error
    return told.model_copy(update={"nftables": kept})


def _unusable(path: str, found: str, action: str) -> ShopSphereError:
    return HostRulesError.build(
        f"the agent at {path} does not tell what its host enforces",
        expected="its rules, in the form 1",
        found=found,
        action=f"{action} tells nothing that can be compared",
    )

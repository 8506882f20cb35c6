"""What each public name answers now, at each name server, for each part of the world."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Network

from shopsphere.clients.dns import NameServerError, ask_address
from shopsphere.estate.access import AccessError, edge_access
from shopsphere.estate.stack import EDGE, EVERYTHING, StackId
from shopsphere.foundation.errors import one_line
from shopsphere.names.name_servers import NameServer, name_servers
from shopsphere.status.model import NameAnswer
from shopsphere.topology import Topology
from shopsphere.topology.public_names import STATIC, WWW

STEERED = (WWW,)
"""Labels whose answer depends on who asks, beside those of the pairs."""
ANSWER_SECONDS = 2.0


@dataclass(frozen=True)
class Question:
    """One name at one server, on behalf of one jurisdiction's clients or of nobody."""

    server: NameServer
    name: str
    jurisdiction: str
    client: IPv4Network | None


def ask_names(topology: Topology, stack: StackId, target: str = EVERYTHING) -> tuple[NameAnswer, ...]:
    """Ask the public names at every name server, side by side.

    Args:
        topology: names, addresses, client networks.
        stack: the edge, whose configuration names the servers.
        target: a region narrows the questions to its own names and clients.
    """
    sites = {str(site.faces_customers_at): name for name, site in topology.sites.items()}
    try:
        servers = name_servers(edge_access(stack.environment))
    except AccessError as error:
        return (NameAnswer(topology.domain, "no name server", "", (), (), one_line(error)),)
    questions = tuple(_questions(topology, servers, target))
    with ThreadPoolExecutor(16) as pool:
        return tuple(pool.map(lambda question: _ask(question, sites), questions))


def _questions(topology: Topology, servers: tuple[NameServer, ...], target: str) -> Iterator[Question]:
    pairs = [pair for name, pair in topology.pairs.items() if target in (name, EDGE, EVERYTHING)]
    homes = {pair.jurisdiction for pair in pairs}
    plain = [STATIC, *(pair.name for pair in pairs), *(site for pair in pairs for site in pair.sites)]
    for server in servers:
        for name in STEERED:
            if not server.for_others:
                yield Question(server, f"{name}.{topology.domain}", "", None)
            for jurisdiction in sorted(homes) if server.for_others else ():
                place = topology.jurisdictions[jurisdiction]
                yield Question(server, f"{name}.{topology.domain}", jurisdiction, place.client_networks[0])
        for name in plain:
            yield Question(server, f"{name}.{topology.domain}", "", None)


def _ask(question: Question, sites: dict[str, str]) -> NameAnswer:
    server = f"{question.server.name} ({question.server.address})"
    try:
        found = ask_address(question.server.address, question.name, client=question.client, seconds=ANSWER_SECONDS)
    except NameServerError as error:
        return NameAnswer(question.name, server, question.jurisdiction, (), (), str(error))
    addresses = tuple(map(str, found))
    known = tuple(sites[address] for address in addresses if address in sites)
    return NameAnswer(question.name, server, question.jurisdiction, addresses, known, "")

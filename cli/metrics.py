"""`shopsphere metrics`."""

from __future__ import annotations

import ipaddress
import sys
import threading
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import require_pair
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import EVERYTHING, Environment
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology
from shopsphere.topology.completion import completing, pairs

DEFAULT_LISTEN = "127.0.0.1:9469"


def metrics(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="PAIR...|all",
            help="the pairs to look at, or all of them",
            show_default=False,
            autocompletion=completing(lambda: [*pairs(), EVERYTHING]),
        ),
    ],
    environment: In = Environment.LAB,
    *,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS:PORT", help="where Prometheus scrapes /metrics")
    ] = DEFAULT_LISTEN,
    once: Annotated[bool, typer.Option("--once", help="print what there is now, and end")] = False,
) -> None:
    """Tell Prometheus what an operator has to be woken for: lease, doors, lag, payments, certificates; read-only.

    Runs until interrupted. docs/alerts.md has the alerts that follow from it, each with the command to type.
    """
    topology = load_topology(environment=environment)
    names = list(topology.pairs) if EVERYTHING in targets else list(dict.fromkeys(targets))
    for each in names:
        require_pair(topology, each)
    address, port = address_of(listen)
    from prometheus_client import generate_latest  # noqa: PLC0415 - not every verb needs it

    from runbooks.metrics.collecting import Collection  # noqa: PLC0415 - the Kubernetes client takes a second to import
    from runbooks.metrics.exposition import registry_of  # noqa: PLC0415 - see above
    from runbooks.metrics.serving import PATH, Serving  # noqa: PLC0415 - see above
    from runbooks.pair_access import PairAccess  # noqa: PLC0415 - see above
    from shopsphere.witness.access import witness_of  # noqa: PLC0415 - see above

    accesses = [
        PairAccess(topology, topology.pair(each), environment, witness_of(each, environment), role=Role.WATCH)
        for each in names
    ]
    collection = Collection(accesses, say)
    registry = registry_of(collection.samples)
    if once:
        collection.once()
        sys.stdout.write(generate_latest(registry).decode())
        return
    serving = Serving(str(address), port, registry)
    collection.start()
    serving.start()
    say(f"telling of {', '.join(names)} ({environment}) at http://{listen}{PATH}; Ctrl-C ends it")
    threading.Event().wait()


def address_of(text: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    """Return address and port of `ADDRESS:PORT`.

    Raises:
        UsageError: it is none.
    """
    host, _, port = text.rpartition(":")
    try:
        address, number = ipaddress.ip_address(host.strip("[]")), int(port)
        if 0 < number <= 65535:  # noqa: PLR2004 - the highest port there is
            return address, number
    except ValueError:
        pass
    raise UsageError.build(
        f"no address to listen at: {text!r}",
        expected=f"ADDRESS:PORT with an IP address of this machine, as in {DEFAULT_LISTEN}",
        found=repr(text),
        action="name one; every other machine that may reach it can read all figures",
    )

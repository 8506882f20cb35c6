"""`shopsphere edge-door`: certificates for the APIs of the edge, and what the door in front of them starts with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.common import In
from shopsphere.estate.stack import Environment
from shopsphere.foundation.authority_change import Step
from shopsphere.foundation.files import secret_in, write_whole
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help=__doc__)
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="where the certificates are kept")]


@app.command()
def keys(
    folder: Folder,
    name: Annotated[
        list[str], typer.Option("--name", metavar="NAME", help="name or address by which an API is reached; repeatable")
    ],
    authority: Annotated[
        Step | None, typer.Option("--authority", help="change the authority: the next of three steps (docs/edge.md)")
    ] = None,
) -> None:
    """Make the edge's authority and the certificates of door, users and CDN; what is there stays."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.clients.edge_identity import PULLER, USERS, EdgeIdentity  # noqa: PLC0415 - see above
    from shopsphere.edge_door.keys import DOOR, door_files, make_edge_keys  # noqa: PLC0415 - see above

    own = folder.expanduser()
    stage = make_edge_keys(own, name, authority)
    say(f"{DOOR}: {' '.join(each.name for each in door_files(own))}")
    for user in USERS:
        say(f"{user}: {' '.join(each.name for each in EdgeIdentity(own, user).files)}")
    say(f"{PULLER}: {PULLER}.crt {PULLER}.key for the CDN; ca.crt as shopsphere:cdnAuthority of each site's stack")
    say(f"kept in {own}; ca.key makes new ones: keep it where no host of the edge and no operator's machine has it")
    if stage:
        say(f"ca.crt is being changed: {stage}")


@app.command()
def refuse(
    refused: Annotated[Path, typer.Argument(metavar="LIST", help="the list that refusedFile in the door's plan names")],
    certificate: Annotated[str, typer.Argument(metavar="CERTIFICATE", help="a .crt file, or a serial number in hex")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="for whoever reads the list")],
) -> None:
    """Add a stolen certificate to the list of a door's host; it opens nothing from its next request on."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.edge_door import refused as refusing  # noqa: PLC0415 - see above
    from shopsphere.foundation.certificates import serial_in  # noqa: PLC0415 - see above

    file = Path(certificate).expanduser()
    serial = refusing.serial_of(serial_in(file) if file.exists() else certificate)
    refusing.refuse(refused.expanduser(), serial, why)
    say(f"{serial} is refused at the doors that read {refused}; do the same on each other host of a door")


@app.command()
def write(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json, with services, ports and the secret's file")],
    folder: Folder,
    environment: In = Environment.PROD,
) -> None:
    """Write into a plan which records runbooks may write, and haproxy.cfg beside it, on the door's own host."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.edge_door.haproxy import haproxy_configuration  # noqa: PLC0415 - see above
    from shopsphere.edge_door.plan import DoorPlan, declared_states  # noqa: PLC0415 - see above
    from shopsphere.edge_door.refused import ensure_list  # noqa: PLC0415 - see above

    states = declared_states(load_topology(environment=environment))
    whole = DoorPlan.read(plan).model_copy(update={"states": states})
    secret_in(whole.secret_file)
    ensure_list(whole.refused_file)
    configuration = haproxy_configuration(whole, folder.expanduser())
    write_whole(plan, whole.model_dump_json(by_alias=True, indent=2) + "\n")
    write_whole(plan.with_name("haproxy.cfg"), configuration, mode=0o600)
    say(f"{plan}: states of {', '.join(each['pair'] for each in states)}; {plan.with_name('haproxy.cfg')}")

"""`shopsphere install-files`: what an owner copies to a host: configurations, systemd units, and the list of keys."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated

import typer

from cli.common import Of
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology
from shopsphere.topology.completion import completing, jurisdictions, sites


def _targets() -> list[str]:
    return [*sites(), "edge", "operations", *(f"archive-{each}" for each in jurisdictions())]


def install_files(
    target: Annotated[
        str,
        typer.Argument(
            metavar="SITE|edge|operations|archive-JURISDICTION",
            help="a site, the hosts of the edge's APIs, the operators' machine, or the host of an archive",
            autocompletion=completing(_targets),
        ),
    ],
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="gets a folder of each host")],
    environment: Of = Environment.PROD,
    *,
    operators: Annotated[
        list[str] | None,
        typer.Option("--operators", metavar="NETWORK", help="may see names and reasons at the agent; repeatable"),
    ] = None,
    api_servers: Annotated[
        list[str] | None,
        typer.Option("--api-servers", metavar="NETWORK", help="the site's API servers on other hosts; repeatable"),
    ] = None,
    pod_guard: Annotated[
        bool, typer.Option("--pod-guard", help="the cluster uses kube-router: load the guard of the pods")
    ] = False,
    firewall: Annotated[
        bool, typer.Option("--firewall", help="the host lets in who belongs there, and logs whom it refused")
    ] = False,
    let_in: Annotated[
        list[str] | None,
        typer.Option(
            "--let-in", metavar="tcp:PORT=NETWORK", help="what else the firewall lets in, as tcp or udp; repeatable"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace files that are there and differ")] = False,
) -> None:
    """Write what a host needs: agent, door, voters, their systemd units, and the list of keys to bring there.

    It writes no secret, reads none, and asks no host. Files that are the same stay untouched; where one differs,
    nothing is written without --force.
    """
    # Settings of agents and voters take a second to import, so only this verb does.
    from runbooks.install.agent_files import Surroundings  # noqa: PLC0415 - see above
    from runbooks.install.files import LIST, TREE, Places, write_all  # noqa: PLC0415 - see above
    from runbooks.install.hosts import hosts_of  # noqa: PLC0415 - see above
    from shopsphere.estate.host_firewall import let_in_of  # noqa: PLC0415 - see above

    around = Surroundings(
        _networks("--operators", operators or ()),
        _networks("--api-servers", api_servers or ()),
        pod_guard,
        firewall,
        tuple(map(let_in_of, let_in or ())),
    )
    hosts = hosts_of(target, load_topology(environment=environment), environment, around, Places())
    folder = into.expanduser()
    changed = write_all(hosts, folder, force=force)
    say(f"{len(changed)} files written, {sum(len(each.written) + 1 for each in hosts) - len(changed)} were so already")
    for each in hosts:
        own = folder / each.host
        say(f"{each.host}: next, at this host")
        steps = (
            f"copy as root: rsync -r --chown=root:root {own / TREE}/ {each.host}:/",
            "systemd-sysusers; systemd-tmpfiles --create; systemctl daemon-reload",
            f"bring what {own / LIST} names, then systemd-tmpfiles --create again: it sets owners and modes",
            *each.then,
            f"systemctl enable --now {' '.join(each.units)}",
        )
        for number, step in enumerate(steps, start=1):
            say(f"  {number}. {step}")


def _networks(option: str, words: Iterable[str]) -> tuple[IPv4Network, ...]:
    try:
        return tuple(IPv4Network(each) for each in words)
    except ValueError as error:
        raise UsageError.build(
            f"{option} takes networks",
            expected="as in 198.51.100.0/28",
            found=str(error),
            action="correct it",
        ) from error

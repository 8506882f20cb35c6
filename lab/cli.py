"""`shopsphere lab …`: the data centres on this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lab import bring_up, plan, preparing_cli, record
from lab.edge.components import EDGE_HOST
from lab.edge.parent import SIGNING
from lab.enter import become_inside, run_inside
from lab.host import power
from lab.hosts import HOSTS_FILE, HostKind, LabHosts, client_host, load_hosts
from lab.leading import leading_pod
from lab.logs import show_logs
from lab.network import control
from lab.paths import kubeconfig_path
from lab.status import show_status
from lab.tour import show_tour
from lab.volume_size import lift_limit, limit_volume
from lab.volumes import free_volumes
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.foundation.paths import REPOSITORY, TOPOLOGY_FILE, tools_directory
from shopsphere.foundation.process import become
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology
from shopsphere.topology.completion import completing, plain, regions, sites

LAB_TOPOLOGY = TOPOLOGY_FILE.with_name("topology.lab.yaml")
app = typer.Typer(no_args_is_help=True, suggest_commands=False, help=__doc__)
preparing_cli.register(app)


def _host_names() -> list[str]:
    clients = map(client_host, plain(TOPOLOGY_FILE).get("jurisdictions", {}))
    nodes = [
        each["name"] for site in plain(LAB_TOPOLOGY).get("sites", {}).values() for each in site.get("further_nodes", ())
    ]
    return [*sites(), *nodes, *plain(HOSTS_FILE).get("hosts", {}), *clients]


HostName = Annotated[
    str,
    typer.Argument(metavar="HOST", help="a site, edge, psp, ops or a client", autocompletion=completing(_host_names)),
]
Site = Annotated[str, typer.Argument(metavar="SITE", autocompletion=completing(sites))]
Regions = Annotated[
    list[str] | None,
    typer.Argument(metavar="REGION...", help="pairs, hq or all", autocompletion=completing(regions)),
]
Nodes = Annotated[int | None, typer.Option("--nodes", help="of each site; only where the lab is new", min=1)]
Only = Annotated[bool, typer.Option("--only", help="of a site of several nodes, the one host of that name")]
OneWay = Annotated[bool, typer.Option("--one-way", help="only from the first host to the second")]


def _hosts() -> LabHosts:
    return load_hosts(load_topology(environment="lab"))


@app.command()
def up(wanted: Regions = None, *, nodes: Nodes = None) -> None:
    """Start regions (the first of topology.yaml when none is named) beside what already runs."""
    bring_up.up(wanted or [next(iter(load_topology(environment="lab").pairs))], nodes)


@app.command()
def down(
    *, keep_disks: Annotated[bool, typer.Option("--keep-disks", help="keep disks and Pulumi state")] = False
) -> None:
    """Stop everything and remove it."""
    bring_up.down(keep_disks=keep_disks)


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Show hosts, their components, and what is cut."""
    show_status(_hosts(), as_json=as_json)


@app.command()
def tour() -> None:
    """Show that the shop answers in every running region, and what to try next."""
    show_tour()


@app.command("power-off")
def power_off(host: HostName, *, only: Only = False) -> None:
    """Cut a host's power, or that of all nodes of a site: everything on it ends at once, its disks stay."""
    for name in _meant(host, only=only):
        power.power_off(name)
    say(f"{host} is off")


@app.command("power-on")
def power_on(host: HostName, *, only: Only = False) -> None:
    """Give a host its power back, or all nodes of a site."""
    hosts = _hosts()
    for name in _meant(host, only=only):
        bring_up.start(hosts.host(name), load_topology(environment="lab"), hosts)
    say(f"{host} is on")


def _meant(host: str, *, only: bool) -> tuple[str, ...]:
    return (_hosts().host(host).name,) if only else _hosts().together(host)


@app.command()
def cut(a: HostName, b: HostName, *, one_way: OneWay = False) -> None:
    """Cut the link between two hosts; a site's name stands for all its nodes."""
    _links("cut", a, b, one_way=one_way)
    say(f"cut: {a} {'->' if one_way else '<->'} {b}")


@app.command()
def heal(a: HostName, b: HostName, *, one_way: OneWay = False) -> None:
    """Undo cuts, losses and detours between two hosts."""
    _links("heal", a, b, one_way=one_way)
    say(f"healed: {a} {'->' if one_way else '<->'} {b}")


@app.command()
def lose(
    a: HostName, b: HostName, percent: Annotated[float, typer.Argument(min=0, max=100)], *, one_way: OneWay = False
) -> None:
    """Lose some percent of the frames between two hosts."""
    _links("lose", a, b, one_way=one_way, percent=percent)
    say(f"losing {percent:g} %: {a} {'->' if one_way else '<->'} {b}")


@app.command()
def slow(
    a: HostName, b: HostName, ms: Annotated[float, typer.Argument(min=0, max=5000)], *, one_way: OneWay = False
) -> None:
    """Let frames between two hosts take so many milliseconds longer each way."""
    _links("slow", a, b, one_way=one_way, ms=ms)
    say(f"{ms:g} ms longer: {a} {'->' if one_way else '<->'} {b}")


def _links(command: str, a: str, b: str, *, one_way: bool, **arguments: float) -> None:
    hosts = _hosts()
    if hosts.host(a) == hosts.host(b):
        raise UsageError(
            f"a link needs two hosts\n  expected: two names\n  found:    {a} twice\n  do:       name the other end"
        )
    control.ask(command, ways=control.ways_between(hosts, a, b, one_way=one_way), **arguments)


@app.command()
def logs(
    host: HostName,
    component: Annotated[str | None, typer.Argument(help="all components of the host when left out")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100_000)] = 40,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with what is added, until interrupted")] = False,
) -> None:
    """Show the last lines of a host's logs (`control` for the WAN and the cloud controller)."""
    show_logs(host, component, lines, _hosts(), follow=follow)


@app.command("free-volumes")
def empty_volumes(site: Site) -> None:
    """Empty the volumes that rebuilds of a site have kept: what only that site had is gone then."""
    _cluster(site)
    names = free_volumes(_hosts().host(site))
    say(f"{site}: {', '.join(names) + ' free' if names else 'no volume is kept'}")


@app.command("limit-volume")
def set_volume_size(
    site: HostName,
    volume: Annotated[str, typer.Argument(help="as under /srv/volumes at the site, or at a further node of one")],
    mebibytes: Annotated[int, typer.Argument(metavar="MIB", min=0, help="0 takes its size away again")],
) -> None:
    """Let a volume of a site that is off have a size of its own from the next power-on, so that it can run full."""
    _hosts().host(site)
    if mebibytes:
        limit_volume(site, volume, mebibytes)
    else:
        lift_limit(site, volume)
    say(f"{site} {volume}: {f'{mebibytes} MiB' if mebibytes else 'as large as the disk'} from the next power-on")


@app.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def execute(host: HostName, command: Annotated[list[str], typer.Argument()]) -> None:
    """Run a command at a host: `shopsphere lab exec client-eu -- curl https://www.shopsphere.test/`."""
    become_inside(_hosts().host(host).name, _after_dashes(command))


def _after_dashes(words: list[str]) -> list[str]:
    """Without the `--` that separates a command from our own options."""
    return words[1:] if words[:1] == ["--"] else words


@app.command("parent-ds")
def show_ds(
    ds: Annotated[
        list[str] | None,
        typer.Argument(metavar="DS...", help="each in quotes, as `shopsphere zone keys` prints it; without any: none"),
    ] = None,
    *,
    signing: Annotated[bool, typer.Option(SIGNING, help="those of the keys that sign now")] = False,
) -> None:
    """Let the lab's parent zone vouch for keys of the shop's zone, as a registrar does, and the resolver check them."""
    zone = f"{load_topology(environment='lab').domain}."
    if signing and ds:
        raise UsageError(f"{SIGNING} finds out the DS itself: leave the others out")
    words = [SIGNING] if signing else ds or ()
    run_inside(EDGE_HOST, ["env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "lab.edge.parent", zone, *words])
    said = "vouches for what signs now" if signing else f"shows {', '.join(words) or 'no DS: nobody checks signatures'}"
    say(f"the zone above {zone} {said}")


@app.command()
def kubeconfig(site: Site) -> None:
    """Print the path of a site's administrator kubeconfig."""
    sys.stdout.write(f"{_cluster(site)}\n")


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def psql(
    site: Site,
    database: Annotated[str, typer.Argument(help="commerce or ledger")],
    arguments: Annotated[list[str] | None, typer.Argument()] = None,
) -> None:
    """Run psql in the pod of a site's database that leads: `shopsphere lab psql dublin ledger -- -c 'select 1'`."""
    file = _cluster(site)
    if database not in {"commerce", "ledger"}:
        raise UsageError(
            f"no database {database!r}\n  expected: commerce or ledger\n  found:    {database}\n  do:       use one"
        )
    terminal = ["-it"] if sys.stdin.isatty() and sys.stdout.isatty() else ["-i"]
    pod = leading_pod(site, database)
    inside = [pod, "-c", "postgres", "--", "psql", "-d", database, *_after_dashes(arguments or [])]
    become(
        [
            str(tools_directory() / "kubectl"),
            f"--kubeconfig={file}",
            "exec",
            *terminal,
            "-n",
            f"data-{database}",
            *inside,
        ]
    )


def _cluster(site: str) -> str:
    host = _hosts().host(site)
    file = kubeconfig_path(site)
    if host.kind is not HostKind.SITE or not file.exists():
        running = plan.cluster_sites(record.regions(), load_topology(environment="lab"))
        raise ShopSphereError.build(
            f"{site} has no cluster",
            expected="one of " + (", ".join(running) or "none yet"),
            found=site,
            action="`shopsphere lab up REGION` starts a region's sites",
        )
    return str(file)

"""`shopsphere zone`: the key that signs the public zone."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import Execute, PlanAsJson, Reason, require_reason
from shopsphere.estate.stack import Environment
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help=__doc__)


@app.command()
def keys(environment: In = Environment.LAB) -> None:
    """Show which keys sign at each authority, what the parent zone has to show, and whether answers are proven."""
    # Clients and the library of DNS take a second to import, so only these verbs do.
    from shopsphere.clients.edge_identity import WATCHER, EdgeIdentity  # noqa: PLC0415 - see above
    from shopsphere.clients.powerdns import connect_to  # noqa: PLC0415 - see above
    from shopsphere.estate.access import edge_access, parent_servers  # noqa: PLC0415 - see above
    from shopsphere.names.key_view import look_at_keys  # noqa: PLC0415 - see above
    from shopsphere.names.zone_ds import unchecked  # noqa: PLC0415 - see above
    from shopsphere.names.zone_keys import ZoneKey  # noqa: PLC0415 - see above
    from shopsphere.names.zone_view import judge_zone_view, look_at_zone  # noqa: PLC0415 - see above

    zone, access = f"{load_topology(environment=environment).domain}.", edge_access(environment)
    servers = [(each.name, each.url) for each in access.require_authorities()]
    there = look_at_keys(connect_to(servers, EdgeIdentity.of(access.edge_keys, WATCHER)), zone, None, set())
    for line in there.lines():
        say(line)
    for each in sorted(there.not_retired):
        sys.stdout.write(f"{zone} IN DS {ZoneKey(each).ds(zone)}\n")
    if len(there.not_retired) > 1:
        say("several keys: in a roll, `zone roll` says which DS; else `drift edge` says which key nobody knows")
    view = look_at_zone(zone, (each.address for each in access.nameservers), parent_servers(environment))
    for server, shown in view.vouched.items():
        say(f"parent zone at {server}: {shown if isinstance(shown, str) else ', '.join(sorted(shown.ds)) or 'no DS'}")
        if not isinstance(shown, str) and (weak := unchecked(shown.ds)):
            say(f"  {weak}")
    say(judge_zone_view(view, datetime.now(UTC)).found)


@app.command()
def roll(
    environment: In = Environment.LAB,
    *,
    abort: Annotated[
        bool, typer.Option("--abort", help="take back an unfinished roll whose new key the parent does not show")
    ] = False,
    execute: Execute = False,
    reason: Reason = "",
    as_json: PlanAsJson = False,
) -> None:
    """Replace the key that signs the zone, while resolvers check. A dry run unless --execute is given.

    It stops where the parent zone has to be told, which a person does at the registrar, and where caches have to run
    out for hours. The same command goes on. With --abort the new key is taken away again, and the old one stays.
    """
    require_reason(reason, execute=execute)
    from runbooks.zone_roll import run  # noqa: PLC0415 - see above

    topology, verb = load_topology(environment=environment), "zone roll --abort" if abort else "zone roll"
    if execute:
        from cli.hangup import go_on_without_terminal  # noqa: PLC0415 - see above

        go_on_without_terminal()
        reports = run.carry_out(topology, environment, reason, abort=abort)
        if as_json:
            sys.stdout.write((reports / "report.json").read_text())
        say(f"done; report: {reports}")
        return
    from cli.plans import print_plan, require_clear  # noqa: PLC0415 - see above

    plan = run.look(topology, environment, abort=abort)
    head = {"verb": verb, "zone": f"{topology.domain}.", "environment": environment}
    print_plan(plan, title=f"{verb} {topology.domain} ({environment}), dry run:", head=head, as_json=as_json)
    require_clear(plan, verb)
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")

"""The `shopsphere` command: names its verbs and turns errors into messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli import deploying, diagram, environment, looking, moving, readiness, topology
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.progress import say

LAB = "lab"
INTERRUPTED = 130  # what shells report for a program ended by SIGINT


class Verbs(TyperGroup):
    """The verbs; the lab's are imported only when one of them is called, so that nothing else depends on the lab."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the help text."""
        return [*super().list_commands(ctx), LAB]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb by its name."""
        if cmd_name != LAB:
            return super().get_command(ctx, cmd_name)
        from lab.cli import app as lab  # noqa: PLC0415 - see the class

        command = get_command(lab)
        command.name = LAB
        return command


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Regions of ShopSphere from one command: deploy, judge, look.",
)
app.command()(deploying.up)
app.command()(deploying.preview)
app.command()(deploying.destroy)
app.command()(looking.status)
app.command()(readiness.ready)
app.command()(readiness.drill)
app.command()(moving.failover)
app.command()(moving.failback)
app.command()(moving.watch)
app.command("break-glass")(moving.break_glass)
app.command()(moving.rebuild)
app.command()(environment.env)
app.command()(diagram.diagram)
app.add_typer(topology.app, name="topology")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process: 0 good, 1 failed, 2 wrong words, 7 changes where none were expected."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; an error of ours is a message, not a traceback."""
    try:
        app(arguments, standalone_mode=True)
    except ShopSphereError as error:
        say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


if __name__ == "__main__":
    main()

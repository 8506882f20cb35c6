"""The `shopsphere` command: names its verbs and turns errors into messages and exit codes."""

from __future__ import annotations

import errno
import functools
import select
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import click
import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli import (
    audit,
    backups,
    completion,
    deploying,
    diagram,
    doctor,
    drifting,
    edge_door,
    environment,
    fault,
    history,
    images,
    install,
    looking,
    metrics,
    moving,
    policy,
    pruning,
    putting_in_place,
    readiness,
    reconciling,
    region,
    reporting,
    residency,
    rotating,
    topology,
    tracing,
    witness,
    zone,
)
from cli.version import show_version
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exit_code import MEANINGS, ExitCode
from shopsphere.foundation.progress import say, silence
from shopsphere.foundation.pulumi_options import take_options_away
from shopsphere.foundation.readable import readable, require_readable
from shopsphere.foundation.typed_commands import one_call

LAB = "lab"
PROGRAM = "shopsphere"


class _BrokenPipe(Exception):  # noqa: N818 - it never leaves this file
    """A BrokenPipeError on its way through typer, which would end the process in silence, whichever pipe it was."""


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

    def invoke(self, ctx: click.Context) -> object:
        """Carry a verb out."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _BrokenPipe from error


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    suggest_commands=False,  # click does so already
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: " + "; ".join(f"{code:d} {meaning}" for code, meaning in MEANINGS.items()) + ".",
)
app.command()(doctor.doctor)
app.command()(deploying.up)
app.command()(deploying.preview)
app.command()(deploying.destroy)
app.command()(looking.status)
app.command()(drifting.drift)
app.command()(readiness.ready)
app.command()(readiness.drill)
app.command()(reconciling.reconcile)
app.command()(moving.failover)
app.command()(moving.failback)
app.command()(moving.watch)
app.command("break-glass")(moving.break_glass)
app.command()(moving.rebuild)
app.command()(rotating.rotate)
app.command("trace-event")(tracing.trace_event)
app.command()(metrics.metrics)
app.command()(backups.backups)
app.command()(backups.restore)
app.command("put-in-place")(putting_in_place.put_in_place)
app.command("prune-backups")(pruning.prune_backups)
app.command()(history.history)
app.command("install-files")(install.install_files)
app.command()(environment.env)
app.command()(diagram.diagram)
app.command()(completion.completion)
app.add_typer(audit.app, name="audit")
app.add_typer(region.app, name="region")
app.add_typer(topology.app, name="topology")
app.add_typer(policy.app, name="policy")
app.add_typer(witness.app, name="witness")
app.add_typer(images.app, name="images")
app.add_typer(edge_door.app, name="edge-door")
app.add_typer(zone.app, name="zone")
app.add_typer(residency.app, name="residency")
app.add_typer(reporting.app, name="report")


@app.callback()
def about(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="show the version and end")
    ] = False,
) -> None:
    """Regions of ShopSphere from one command: deploy, judge, look."""


def main() -> None:
    """Run the command and end the process with its exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a letter that cannot be shown or read is no reason to stop
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
        code = ExitCode.PIPE_CLOSED
    except OSError as error:  # a full disk is found here where Python buffers its output
        silence(sys.stdout)
        code = _told(error, sys.argv[1:])
    sys.exit(code)


@one_call()
def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code; whatever goes wrong is a message, not a traceback."""
    words = [readable(word) for word in arguments]
    fault.keep_quiet_in_threads(words)
    try:
        require_readable()
        if taken := take_options_away():
            say(f"left out, because variables give no options to Pulumi here: {', '.join(taken)}")
        ended = _command_of(app)(words, prog_name=PROGRAM, standalone_mode=False)
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - the roof: nothing passes as a traceback
        return _told(error, words)
    if ended == ExitCode.INTERRUPTED:  # typer has caught Ctrl-C
        say("interrupted")
    return ended if isinstance(ended, int) else ExitCode.GOOD


@functools.cache
def _command_of(verbs: typer.Typer) -> click.Command:
    """Return what typer makes of the verbs, made once however often a process runs the command."""
    return get_command(verbs)


def _told(error: BaseException, words: Sequence[str]) -> int:
    """Tell the person what went wrong, and return the exit code that says so."""
    code: int
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else int(error.code is not None)
        case _BrokenPipe() if _nobody_reads():
            return ExitCode.PIPE_CLOSED
        case KeyboardInterrupt():
            text, code = "interrupted", ExitCode.INTERRUPTED
        case ShopSphereError():
            text, code = f"error: {error}", error.exit_code
        case click.ClickException():
            text, code = _wrong_words(error), ExitCode.WORDS
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            text, code = _no_room(error), ExitCode.FAILED
        case click.Abort():
            text, code = "error: no answer was given, and nothing was done", ExitCode.FAILED
        case _:
            cause = error.__cause__ if isinstance(error, _BrokenPipe) else None
            text, code = f"error: {fault.describe_fault(cause or error, words)}", ExitCode.FAULT
    if fault.debugging():
        traceback.print_exception(error)
    if text:
        say(text)
    return code


def _no_room(error: OSError) -> str:
    """Return what to do about a full disk, which is no fault of the program."""
    where = error.filename or "the disk of the output or of this machine's records"
    return (
        f"error: {where}: {error.strerror}\n"
        "  do:       make room on it; before you repeat the command, see what was done: `shopsphere status`, "
        "`shopsphere history`"
    )


def _wrong_words(error: click.ClickException) -> str:
    """Return what click says, in the shape of our own errors; nothing when it has shown its help already."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return ""
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else PROGRAM
    return f"error: {error.format_message().rstrip('.')}\n  do:       `{where} --help` shows what it takes"


def _nobody_reads() -> bool:
    """Whether it is our own output that nobody reads any more."""
    asked = select.poll()
    asked.register(sys.stdout.fileno(), 0)
    if not asked.poll(0):  # errors are told without being asked for
        return False
    silence(sys.stdout)
    return True


if __name__ == "__main__":
    main()

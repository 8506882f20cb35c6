"""One stack in the hands of Pulumi's Automation API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from pulumi.automation import CommandError, LocalWorkspace, PulumiCommand, Stack

from shopsphere.deploy import locks
from shopsphere.deploy.environment import prepare, variables
from shopsphere.deploy.events import Run, Violation
from shopsphere.deploy.programs import ensure_kubernetes_plugin, find_program
from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY

POLICIES = REPOSITORY / "policies"
LOG_LINES = 15


class DeploymentError(ShopSphereError):
    """The engine refused or failed to do what was asked."""


@dataclass(frozen=True)
class Outcome:
    """What one run of the engine did.

    Attributes:
        changed: resources changed, or that would change.
        total: resources in the stack.
        packs: name and version of the policy packs that judged it.
    """

    changed: int
    total: int
    packs: dict[str, str]


@dataclass(frozen=True)
class Listener:
    """Who is told while the engine runs.

    Attributes:
        advanced: called with the number of resources done so far.
        judged: called with each verdict of the policy pack.
    """

    advanced: Callable[[int], None]
    judged: Callable[[Violation], None]


@cache
def _command() -> PulumiCommand:
    binary = find_program("pulumi")
    return PulumiCommand(str(binary.parent.parent)) if binary.parent.name == "bin" else PulumiCommand()


def project_name(stack: StackId) -> str:
    """Return the name of the stack's project."""
    document: dict[str, Any] = yaml.safe_load((stack.folder / "Pulumi.yaml").read_text())
    return str(document["name"])


class Engine:
    """Opens a stack and runs `preview`, `up` and `destroy` on it; the policy pack is always part of it."""

    def __init__(self, stack: StackId) -> None:
        self.stack = stack
        self._stack = _open(stack)

    def preview(self, listener: Listener, *, refresh: bool = False) -> Outcome:
        """Say what `up` would do.

        Args:
            listener: who is told meanwhile.
            refresh: first read what is really there, so that drift counts as change.

        Raises:
            DeploymentError: a rule or the engine refuses it.
            PolicyPackMissingError: the policy pack did not judge it.
        """
        return self._run(
            listener,
            lambda run: self._stack.preview(policy_packs=[str(POLICIES)], on_event=run.receive, refresh=refresh),
        )

    def up(self, listener: Listener, *, refresh: bool = False) -> Outcome:
        """Make it so. Arguments and errors are those of `preview`."""
        return self._run(
            listener,
            lambda run: self._stack.up(
                policy_packs=[str(POLICIES)], on_event=run.receive, refresh=refresh, show_secrets=False
            ),
        )

    def destroy(self, listener: Listener) -> Outcome:
        """Remove every resource of the stack; no rule judges a removal."""
        return self._run(
            listener, lambda run: self._stack.destroy(on_event=run.receive, show_secrets=False), pack=False
        )

    def _run(self, listener: Listener, act: Callable[[Run], object], *, pack: bool = True) -> Outcome:
        run = Run(listener.advanced, listener.judged)
        try:
            act(run)
        except CommandError as error:
            raise _failure(self.stack, run, error) from error
        if pack:
            run.require_pack()
        return Outcome(run.changed, run.total, run.packs)


@cache
def open_engine(stack: StackId) -> Engine:
    """Return the engine of a stack, opened once per process: opening starts the CLI.

    Raises:
        DeploymentError: the stack can be neither selected nor made.
    """
    return Engine(stack)


def release_locks(stack: StackId) -> tuple[locks.Lock, ...]:
    """Release what dead processes hold; only the lab's file backend is looked into.

    Raises:
        StackLockedError: a living process holds the stack.
    """
    if stack.environment is not Environment.LAB:
        return ()
    return locks.release_stranded(stack, project_name(stack))


def exists(stack: StackId) -> bool:
    """Say whether the stack was ever set up from here."""
    return stack_files.project_file(stack).exists()


def _open(stack: StackId) -> Stack:
    prepare(stack)
    ensure_kubernetes_plugin()
    settings = stack_files.read(stack_files.project_file(stack))
    workspace = LocalWorkspace(
        work_dir=str(stack.folder),
        env_vars=variables(stack),
        secrets_provider=settings.get("secretsprovider", "passphrase"),
        pulumi_command=_command(),
    )
    try:
        return Stack.create_or_select(stack.name, workspace)
    except CommandError as error:
        raise DeploymentError(f"{stack.label}: the stack cannot be opened\n{_last_lines(str(error))}") from error


def _failure(stack: StackId, run: Run, error: CommandError) -> DeploymentError:
    mandatory = [violation for violation in run.violations if violation.level == "mandatory"]
    if mandatory:
        rules = ", ".join(sorted({violation.rule for violation in mandatory}))
        return DeploymentError(f"{stack.label}: {len(mandatory)} violations of policy ({rules}); see above for each")
    told = "\n".join(run.errors) or _last_lines(str(error))
    return DeploymentError(f"{stack.label}: Pulumi failed\n{told}")


def _last_lines(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-LOG_LINES:])

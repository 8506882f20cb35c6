"""One opened stack in the hands of Pulumi's Automation API."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pulumi.automation import CommandError, ConcurrentUpdateError, Stack

from shopsphere.deploy.environment import ENFORCEMENT, POLICIES
from shopsphere.deploy.events import Run
from shopsphere.deploy.locks import StackLockedError
from shopsphere.deploy.outcomes import MANDATORY, EngineRun, Violation
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError

LOG_LINES = 15


class DeploymentError(ShopSphereError):
    """The engine refused or failed to do what was asked.

    Attributes:
        run: what it had done or found until then; None when it did not begin.
    """

    def __init__(self, message: str, run: EngineRun | None = None) -> None:
        super().__init__(message)
        self.run = run


class ProtectedError(DeploymentError):
    """Nothing is in the way but that the state protects what would be taken away; `run` has all changes."""


class Watcher(Protocol):
    """Who is told while the engine runs."""

    def advanced(self, done: int) -> None:
        """Take the number of resources done so far."""

    def judged(self, violation: Violation) -> None:
        """Take a verdict of the policy pack."""


class Engine:
    """Runs `preview`, `up` and `destroy` on an opened stack; the policy pack judges all but removals.

    Args:
        stack: which one it is.
        opened: the same in the hands of the Automation API.
        config_file: configuration in place of the project's own file.
    """

    def __init__(self, stack: StackId, opened: Stack, config_file: Path | None = None) -> None:
        self.stack = stack
        self._stack = opened
        self._config_file = str(config_file) if config_file else None

    def preview(self, watcher: Watcher, *, refresh: bool = False) -> EngineRun:
        """Say what `up` would do.

        Args:
            watcher: who is told meanwhile.
            refresh: first read what is really there, so that drift counts as change.

        Raises:
            ProtectedError: the state protects what would be deleted or replaced; the pack has not judged the whole.
            DeploymentError: a rule or the engine refuses it.
            StackLockedError: another run has the stack; this one has changed nothing.
            PolicyPackMissingError: the policy pack did not judge it.
        """
        return self._run(
            watcher,
            lambda run: self._stack.preview(
                policy_packs=[str(POLICIES)],
                policy_pack_configs=[str(ENFORCEMENT)],
                on_event=run.receive,
                refresh=refresh,
                config_file=self._config_file,
            ),
        )

    def up(self, watcher: Watcher, *, refresh: bool = False) -> EngineRun:
        """Make it so. Arguments and errors are those of `preview`."""
        return self._run(
            watcher,
            lambda run: self._stack.up(
                policy_packs=[str(POLICIES)],
                policy_pack_configs=[str(ENFORCEMENT)],
                on_event=run.receive,
                refresh=refresh,
                show_secrets=False,
            ),
        )

    def preview_destroy(self, watcher: Watcher) -> EngineRun:
        """Say what `destroy` would remove; it neither takes nor minds a lock."""
        return self._run(
            watcher,
            lambda run: self._stack.preview_destroy(
                on_event=run.receive, show_secrets=False, config_file=self._config_file
            ),
            pack=False,
        )

    def destroy(self, watcher: Watcher) -> EngineRun:
        """Remove every resource of the stack; no rule judges a removal."""
        return self._run(watcher, lambda run: self._stack.destroy(on_event=run.receive, show_secrets=False), pack=False)

    def _run(self, watcher: Watcher, act: Callable[[Run], object], *, pack: bool = True) -> EngineRun:
        run = Run(watcher.advanced, watcher.judged)
        began = time.monotonic()
        try:
            act(run)
        except ConcurrentUpdateError as error:
            raise StackLockedError.of(self.stack, last_lines(str(error))) from error
        except CommandError as error:
            raise _failure(self.stack, run, error, time.monotonic() - began) from error
        if pack:
            run.require_pack()
        return run.result(time.monotonic() - began)


def _failure(stack: StackId, run: Run, error: CommandError, seconds: float) -> DeploymentError:
    found = run.result(seconds)
    if run.is_only_protected:
        names = ", ".join(each.rpartition("::")[-1] for each in found.protected)
        return ProtectedError(f"{stack.label}: Pulumi's state protects {names}", found)
    mandatory = [violation for violation in run.violations if violation.level == MANDATORY]
    if mandatory:
        rules = ", ".join(sorted({violation.rule for violation in mandatory}))
        count = "1 violation" if len(mandatory) == 1 else f"{len(mandatory)} violations"
        return DeploymentError(f"{stack.label}: {count} of policy ({rules})", found)
    told = "\n".join(run.errors) or last_lines(str(error))
    return DeploymentError(f"{stack.label}: Pulumi failed\n{told}", found)


def last_lines(text: str) -> str:
    """Return the end of what the engine said, where its reason stands."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-LOG_LINES:])

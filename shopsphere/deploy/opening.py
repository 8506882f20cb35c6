"""Opens stacks, for changes and for previews that leave nothing behind, and finds out whether a stack exists."""

from __future__ import annotations

from functools import cache

from pulumi.automation import CommandError, LocalWorkspace, PulumiCommand, Stack, StackNotFoundError

from shopsphere.deploy import locks
from shopsphere.deploy.drafts import Draft
from shopsphere.deploy.engine import DeploymentError, Engine, last_lines
from shopsphere.deploy.environment import prepare, variables
from shopsphere.deploy.programs import ensure_kubernetes_plugin, find_program
from shopsphere.deploy.witnessed import witnessed_variables
from shopsphere.estate import stack_files
from shopsphere.estate.paths import state_directory
from shopsphere.estate.stack import Environment, StackId


@cache
def open_engine(stack: StackId) -> Engine:
    """Return the engine of a stack, opened once per process: opening starts the CLI.

    Raises:
        DeploymentError: the stack can be neither selected nor made.
    """
    prepare(stack)
    ensure_kubernetes_plugin()
    settings = stack_files.read(stack_files.project_file(stack))
    workspace = LocalWorkspace(
        work_dir=str(stack.folder),
        env_vars={**variables(stack), **witnessed_variables(stack)},
        secrets_provider=settings.get("secretsprovider", "passphrase"),
        pulumi_command=_command(),
    )
    try:
        return Engine(stack, Stack.create_or_select(stack.name, workspace))
    except CommandError as error:
        raise _unopened(stack, error) from error


def open_draft(draft: Draft) -> Engine:
    """Return an engine that previews a draft and leaves the stack, its state and its files as they are.

    Raises:
        DeploymentError: the stack cannot be opened.
    """
    stack = draft.stack
    ensure_kubernetes_plugin()
    workspace = LocalWorkspace(work_dir=str(draft.folder), env_vars=dict(draft.variables), pulumi_command=_command())
    try:
        if draft.is_set_up:
            return Engine(stack, Stack.select(stack.name, workspace), draft.config_file)
        return Engine(stack, Stack.create(stack.name, workspace))
    except CommandError as error:
        raise _unopened(stack, error) from error


def is_set_up(stack: StackId) -> bool:
    """Whether the stack exists where its state is kept; nothing is made by asking.

    Raises:
        DeploymentError: the place of its state does not answer.
        ShopSphereError: nobody has said where the state of a production stack is kept.
    """
    if stack.environment is Environment.LAB:
        folder = state_directory(stack.jurisdiction) / ".pulumi" / "stacks" / project_name(stack)
        return any(folder.glob(f"{stack.name}.json*"))
    workspace = LocalWorkspace(work_dir=str(stack.folder), env_vars=variables(stack), pulumi_command=_command())
    try:
        Stack.select(stack.name, workspace)
    except StackNotFoundError:
        return False
    except CommandError as error:
        raise _unopened(stack, error) from error
    return True


def release_locks(stack: StackId) -> tuple[locks.Lock, ...]:
    """Release what dead processes hold; only the lab's file backend is looked into.

    Raises:
        StackLockedError: a living process holds the stack.
    """
    if stack.environment is not Environment.LAB:
        return ()
    return locks.release_stranded(stack, project_name(stack))


def _unopened(stack: StackId, error: CommandError) -> DeploymentError:
    return DeploymentError(f"{stack.label}: the stack cannot be opened\n{last_lines(str(error))}")


@cache
def _command() -> PulumiCommand:
    binary = find_program("pulumi")
    return PulumiCommand(str(binary.parent.parent)) if binary.parent.name == "bin" else PulumiCommand()


def project_name(stack: StackId) -> str:
    """Return the name of the stack's project."""
    return str(stack_files.read(stack.folder / "Pulumi.yaml")["name"])

"""What `up`, `preview` and `destroy` do to one stack."""

from __future__ import annotations

from dataclasses import dataclass

from shopsphere.deploy.display import Display
from shopsphere.deploy.engine import exists, open_engine
from shopsphere.deploy.preparation import prepare_region, prepare_stack
from shopsphere.deploy.runner import Work
from shopsphere.deploy.verification import verify_stacks
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Topology


class ChangesFoundError(ShopSphereError):
    """A preview that was to show no change showed some."""

    exit_code = 7  # the code of `pulumi preview --expect-no-changes`


@dataclass
class Changes:
    """Resources that previews would change, per stack."""

    by_stack: dict[str, int]

    def require_none(self) -> None:
        """Accept only previews without a change.

        Raises:
            ChangesFoundError: names the stacks.
        """
        changed = {stack: count for stack, count in self.by_stack.items() if count}
        if changed:
            found = ", ".join(f"{stack}: {count} resources" for stack, count in changed.items())
            raise ChangesFoundError.build(
                "the previews show changes",
                expected="none",
                found=found,
                action="`pulumi preview --diff` in the project folder shows each; `shopsphere up` applies them",
            )


def up_work(topology: Topology, target: str, *, refresh: bool, verify_seconds: float) -> Work:
    """Return the work of `up`: preview with the policy pack, then apply if anything changes, then verify.

    The preview comes first because rules about a whole stack speak only after its last resource: in `up` that is
    after the deed. It also counts the resources for the progress display, and makes a second `up` short.

    Args:
        topology: sites and pairs.
        target: what the person asked for; the edge is verified for its regions.
        refresh: first read what is really there, and repair drift.
        verify_seconds: bound on the wait for rollouts and databases; 0 leaves verification out.
    """

    def act(stack: StackId, display: Display) -> None:
        engine = open_engine(stack)
        with display.step(f"{stack.label}: preview") as (step, listener):
            planned = engine.preview(listener, refresh=refresh)
            step.note = f"{planned.total} resources, {planned.changed} to change, judged by {_packs(planned.packs)}"
        if not planned.changed:
            return
        with display.step(f"{stack.label}: up", planned.total) as (step, listener):
            done = engine.up(listener, refresh=refresh)
            step.note = f"{done.changed} of {done.total} resources changed, judged by {_packs(done.packs)}"

    def verify(stacks: tuple[StackId, ...], display: Display) -> None:
        if verify_seconds > 0:
            verify_stacks(topology, target, stacks, display, seconds=verify_seconds)

    return Work("up", lambda stacks: prepare_region(topology, stacks), act, verify)


def preview_work(topology: Topology, changes: Changes, *, refresh: bool) -> Work:
    """Return the work of `preview`; what would change is noted in `changes`."""

    def act(stack: StackId, display: Display) -> None:
        with display.step(f"{stack.label}: preview") as (step, listener):
            planned = open_engine(stack).preview(listener, refresh=refresh)
            changes.by_stack[stack.label] = planned.changed
            step.note = f"{planned.total} resources, {planned.changed} to change, judged by {_packs(planned.packs)}"

    return Work("preview", lambda stacks: prepare_region(topology, stacks), act, _nothing)


def destroy_work() -> Work:
    """Return the work of `destroy`; a stack that was never set up from here is passed over."""

    def prepare(stacks: tuple[StackId, ...]) -> None:
        for stack in stacks:
            if exists(stack):
                prepare_stack(stack)

    def act(stack: StackId, display: Display) -> None:
        if not exists(stack):
            return
        with display.step(f"{stack.label}: destroy") as (step, listener):
            step.note = f"{open_engine(stack).destroy(listener).changed} resources removed"

    return Work("destroy", prepare, act, _nothing, edge_first=True)


def _nothing(_stacks: tuple[StackId, ...], _display: Display) -> None:
    """Nothing to verify."""


def _packs(packs: dict[str, str]) -> str:
    # The engine reports a local pack as name|local|folder.
    return ", ".join(f"{name.split('|')[0]} {version}".strip() for name, version in packs.items())

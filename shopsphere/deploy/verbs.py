"""What `up`, `preview` and `destroy` do to one stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shopsphere.deploy.drafts import drafted
from shopsphere.deploy.engine import DeploymentError, Engine
from shopsphere.deploy.filling_in import require_filled_in
from shopsphere.deploy.fixed_sizes import require_sizes_that_can_change
from shopsphere.deploy.listening import Listener, Noted, Progress, step
from shopsphere.deploy.opening import is_set_up, open_draft, open_engine
from shopsphere.deploy.outcomes import EngineRun, PlanOutcome, StackOutcome, Verb
from shopsphere.deploy.policy_uptake import when_taken_up
from shopsphere.deploy.preparation import prepare_region, prepare_stack
from shopsphere.deploy.protection import unprotect, unprotected
from shopsphere.deploy.removal import require_takeable
from shopsphere.deploy.runner import Work
from shopsphere.deploy.summary import operations, packs, summary
from shopsphere.deploy.taking import NOTHING_MEANT, Meant, previewed, require_meant, taken_away
from shopsphere.deploy.verification import verify_stacks
from shopsphere.deploy.waiting import when_free
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.topology import Topology


class ChangesFoundError(ShopSphereError):
    """A preview that was to show no change showed some."""

    exit_code = ExitCode.CHANGES


class ChangedSinceApprovalError(ShopSphereError):
    """What would be done is not what was approved."""


def require_no_changes(outcome: PlanOutcome) -> None:
    """Accept only previews without a change.

    Raises:
        ChangesFoundError: names the stacks.
    """
    if outcome.changed:
        raise ChangesFoundError.build(
            "the previews show changes",
            expected="none",
            found=", ".join(f"{stack}: {count} resources" for stack, count in outcome.changed.items()),
            action="`shopsphere preview --diff` shows each property; `shopsphere up` applies them",
        )


def up_work(
    topology: Topology,
    target: str,
    *,
    refresh: bool,
    verify_seconds: float,
    approved: Mapping[str, str] | None = None,
    meant: Meant = NOTHING_MEANT,
) -> Work:
    """Return the work of `up`: preview with the policy pack, then apply if anything changes, then verify.

    The preview comes first because rules about a whole stack are judged only after its last resource: in `up` the
    resources have been changed by then. It also counts them for the progress display, and makes a second `up` short.

    Args:
        topology: sites and pairs.
        target: what the person asked for; the edge is verified for its regions.
        refresh: first read what is really there, and repair drift.
        verify_seconds: bound on the wait for rollouts and databases; 0 leaves verification out.
        approved: fingerprints by stack of the only changes that may be applied; None applies whatever is found.
        meant: what may be deleted or replaced although it holds data or a name.
    """
    deployment = _Deployment(topology, refresh, meant, approved)

    def act(stack: StackId, listener: Listener) -> StackOutcome:
        return when_free(stack, listener, lambda: deployment.of(stack, listener))

    def verify(stacks: tuple[StackId, ...], listener: Listener) -> None:
        if verify_seconds > 0:
            verify_stacks(topology, target, stacks, listener, seconds=verify_seconds)

    return Work(Verb.UP, lambda stacks, listener: prepare_region(topology, stacks, listener), act, verify)


def preview_work(topology: Topology, *, refresh: bool, meant: Meant = NOTHING_MEANT) -> Work:
    """Return the work of `preview`, which writes nothing: see `drafts.drafted`. Arguments are those of `up_work`."""

    def act(stack: StackId, listener: Listener) -> StackOutcome:
        existed = is_set_up(stack)
        with drafted(topology, stack, is_set_up=existed) as draft:
            if draft.stand_ins:
                listener.tell(Noted(stack.label, _unset(len(draft.stand_ins), existed=existed)))
            planned = _planned(topology, stack, listener, open_draft(draft), refresh=refresh, meant=meant)
        return StackOutcome(
            stack=stack.label, name=stack.name, planned=planned, is_set_up=existed, stand_ins=draft.stand_ins
        )

    return Work(Verb.PREVIEW, lambda stacks, _listener: require_filled_in(stacks), act, _nothing)


def destroy_work(check: Callable[[], None]) -> Work:
    """Return the work of `destroy`; a stack that was never set up is passed over.

    Args:
        check: refuses where the target may not be removed; called again right before each stack is.
    """

    def remove(stack: StackId, progress: Progress) -> EngineRun:
        engine = open_engine(stack)
        planned = previewed(lambda: engine.preview_destroy(progress))
        check()
        unprotect(stack, planned.protected)
        return engine.destroy(progress)

    def act(stack: StackId, listener: Listener) -> StackOutcome:
        if not is_set_up(stack):
            return StackOutcome(stack=stack.label, name=stack.name, is_set_up=False)
        with step(listener, stack.label, "destroy") as progress:
            applied = when_free(stack, listener, lambda: remove(stack, progress))
            progress.note = f"{applied.changed} resources removed"
        return StackOutcome(stack=stack.label, name=stack.name, applied=applied)

    return Work(Verb.DESTROY, _prepare_set_up, act, _nothing, edge_first=True)


def destroy_preview_work(topology: Topology) -> Work:
    """Return the work of saying what `destroy` would remove; like `preview` it writes nothing."""

    def act(stack: StackId, listener: Listener) -> StackOutcome:
        if not is_set_up(stack):
            return StackOutcome(stack=stack.label, name=stack.name, is_set_up=False)
        with (
            drafted(topology, stack, is_set_up=True) as draft,
            step(listener, stack.label, "preview of destroy") as progress,
        ):
            engine = open_draft(draft)
            planned = previewed(lambda: engine.preview_destroy(progress))
            progress.note = f"{planned.changed} resources to remove"
        return StackOutcome(stack=stack.label, name=stack.name, planned=planned)

    return Work(Verb.PREVIEW, _nothing, act, _nothing, edge_first=True)


@dataclass(frozen=True)
class _Deployment:
    """What `up` does to a stack; its arguments are those of `up_work`."""

    topology: Topology
    refresh: bool
    meant: Meant
    approved: Mapping[str, str] | None

    def of(self, stack: StackId, listener: Listener) -> StackOutcome:
        """Preview, then apply if anything changes, be it the protection of a resource."""
        engine = open_engine(stack)
        planned = self._planned(stack, listener, engine)
        if planned.protected:
            # The engine has stopped at what its state protects. All of that was named: the whole has to be judged now.
            with unprotected(stack, planned.protected):
                planned = self._planned(stack, listener, engine)
        outcome = StackOutcome(stack=stack.label, name=stack.name, planned=planned)
        if not planned.changed and not planned.to_protect:
            return outcome
        try:
            with step(listener, stack.label, "up", planned.total) as progress:
                applied = when_taken_up(stack, listener, lambda: engine.up(progress, refresh=self.refresh))
                progress.note = f"{applied.changed} of {applied.total} resources changed, judged by {packs(applied)}"
        except DeploymentError as error:
            return outcome.model_copy(update={"applied": error.run, "error": str(error), "cause": error})
        return outcome.model_copy(update={"applied": applied})

    def _planned(self, stack: StackId, listener: Listener, engine: Engine) -> EngineRun:
        planned = _planned(self.topology, stack, listener, engine, refresh=self.refresh, meant=self.meant)
        if self.approved is not None:
            _require_approved(stack, planned, self.approved)
        return planned


def _planned(
    topology: Topology, stack: StackId, listener: Listener, engine: Engine, *, refresh: bool, meant: Meant
) -> EngineRun:
    """Preview a stack, and refuse sizes that cannot change and what is not to be taken away."""
    with step(listener, stack.label, "preview") as progress:
        planned = previewed(lambda: engine.preview(progress, refresh=refresh))
        progress.note = summary(planned)
        require_sizes_that_can_change(stack, planned)
        require_meant(stack, planned, meant)
        require_takeable(topology, stack, taken_away(planned))
    return planned


def _require_approved(stack: StackId, planned: EngineRun, approved: Mapping[str, str]) -> None:
    if approved.get(stack.label) == planned.fingerprint:
        return
    raise ChangedSinceApprovalError.build(
        f"{stack.label}: what would be changed is not what was approved; nothing of this stack was changed",
        expected="the changes of the approved preview"
        if stack.label in approved
        else "a stack that the approved preview covers",
        found=f"{planned.changed} to change ({operations(planned) or 'none'}), other ones than approved",
        action="preview again, look at what has changed meanwhile, and approve that",
    )


def _unset(count: int, *, existed: bool) -> str:
    state = f"{count} of its secrets are not set yet" if existed else "not set up yet: everything is to be created"
    return f"{state}; previewed with throw-away values for {count} secrets, which `shopsphere up` makes or asks for"


def _prepare_set_up(stacks: tuple[StackId, ...], listener: Listener) -> None:
    for stack in stacks:
        if is_set_up(stack):
            prepare_stack(stack, listener)


def _nothing(_stacks: tuple[StackId, ...], _listener: Listener) -> None:
    """Nothing to prepare or to verify."""

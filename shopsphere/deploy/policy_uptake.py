"""An `up` that changes the policies of a site's API server, and is refused by the ones from before: a bounded wait.

A program waits some seconds for the policies that it has changed. A server that is busy, or one of several, may take
longer to read them, and refuses what they would let in. All that was done is kept, so the rest is done again.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from shopsphere.deploy.engine import DeploymentError
from shopsphere.deploy.listening import Listener, Noted
from shopsphere.deploy.outcomes import EngineRun
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.kubectl_line import kubectl_at
from shopsphere.estate.stack import StackId
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock

PATIENCE, PAUSE = 120.0, 5.0
"""Seconds from the first refusal to the last attempt, and between two."""
REFUSED = re.compile(
    r"ValidatingAdmissionPolicy 'shopsphere-[a-z-]+'.{0,400}?denied request: (?P<rule>[A-Z]{3}-[0-9]{3})", re.DOTALL
)
"""How an API server says that one of our policies refuses an object (Kubernetes 1.36)."""
_POLICIES = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"


def when_taken_up(
    stack: StackId, listener: Listener, work: Callable[[], EngineRun], *, clock: Clock = SYSTEM_CLOCK
) -> EngineRun:
    """Do it; again where the API server refuses by policies that this has just changed.

    Args:
        stack: which one.
        listener: is told once, when it has to be waited.
        work: an `up` of the stack: what it did before it was refused, it finds done the next time.
        clock: replaceable in tests.

    Returns:
        What was changed by all of it.

    Raises:
        DeploymentError: anything else is wrong, or the API server still refuses after `PATIENCE` seconds.
    """
    end: float | None = None
    done: list[EngineRun] = []
    while True:
        try:
            return _together([*done, work()])
        except DeploymentError as error:
            refused = REFUSED.search(str(error))
            if error.run is None or refused is None or not (done or _changes_policies(error.run)):
                raise
            done.append(error.run)
            now = clock.monotonic()
            if end is None:
                end = now + PATIENCE
                text = f"the API server still asks the admission policies from before ({refused['rule']})"
                listener.tell(Noted(stack.label, f"waits, at most {PATIENCE / 60:.0f} min: {text}"))
            elif now >= end:
                raise _still_refused(stack, error, done) from error
        clock.sleep(PAUSE)


def _changes_policies(run: EngineRun) -> bool:
    return any(each.type.startswith(_POLICIES) for each in run.changes)


def _still_refused(stack: StackId, error: DeploymentError, done: list[EngineRun]) -> DeploymentError:
    there = kubectl_at(stack).line(Role.UP, "", "get", "validatingadmissionpolicies")
    return DeploymentError(
        f"{error}\n"
        "  expected: the API server to let in what the admission policies that this run changed let in\n"
        f"  found:    refused for {PATIENCE / 60:.0f} min: it still asks those from before, or the new ones refuse it\n"
        f"  do:       `{there}` shows those that are there; if they "
        f"are the new ones, look at how its API server is, then `shopsphere up {stack.label}` again",
        _together(done),
    )


def _together(runs: list[EngineRun]) -> EngineRun:
    """Return all runs as one: what each changed once, and the rest as the last one found it."""
    *before, last = runs
    if not before:
        return last
    changes = {each.urn: each for run in runs for each in run.changes}
    seconds = round(sum(run.seconds for run in runs), 3)
    return last.model_copy(update={"changes": tuple(changes.values()), "changed": len(changes), "seconds": seconds})

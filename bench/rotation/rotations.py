"""A rotation as a fault of the safety bench: what happens to the pair under load, and what has to be so afterwards."""

import time
from collections.abc import Callable

from pair import PairUnderTest
from rotating import RotatingOperator
from scene import Fault, Scene
from secrets_kept import Held, documents_of, gone_after, held_by_stacks, wrong_cluster, wrong_pods, wrong_stacks
from secrets_tried import ACCEPTED, REFUSED, TRIED, Visitor, mixed_certificates, wrong

from shopsphere.estate.renewal import DATABASE_CERTIFICATES, KINDS
from shopsphere.foundation.clock import WaitExpiredError, wait_until

STEADY_SECONDS = 120
"""Longest time (s) after a rotation until the ledger is at both sites and every instance is ready, without a repair."""


def rotated(kind: str, *, kills: bool) -> Fault:
    """Return the fault in which a kind of secret is renewed; with `kills` its operator dies in each step."""

    def fault(scene: Scene) -> None:
        pair = scene.under_test
        scene.may_show_errors = False
        scene.facts["kind"] = kind
        before = held_by_stacks(pair.topology, pair.pair, kind)[0]
        visitor = Visitor(pair.client)
        # A door that does not take the old secret now would say nothing by refusing it later.
        scene.problems += wrong(TRIED[kind](pair, before), wanted=ACCEPTED, which="present")
        scene.problems += wrong({"cart": visitor.comes()}, wanted=ACCEPTED, which="present")
        scene.mark("fault")
        operator = RotatingOperator(pair.witness, kind, scene.chance)
        began = time.monotonic()
        for step in operator.steps if kills else ():
            operator.killed_in(step)
        operator.end()
        scene.facts["rotation_seconds"] = round(time.monotonic() - began, 1)
        scene.facts["kills"] = operator.kills
        scene.facts["killed_in"] = len(operator.kills)
        scene.problems += not_killed(operator) if kills else []
        try:
            wait_until(pair.is_steady, what="sync on and both databases whole", seconds=STEADY_SECONDS, interval=2)
        except WaitExpiredError as error:
            scene.problems.append(str(error))
        scene.problems += [*wrong_secrets(pair, kind, before), *wrong_doors(pair, kind, before)]
        scene.problems += wrong({"cart of before": visitor.comes()}, wanted=ACCEPTED, which="old")

    return fault


def not_killed(operator: RotatingOperator) -> list[str]:
    """Return the steps in which nobody was killed: of those nothing can be said."""
    killed = {each["step"] for each in operator.kills if each["after"] != "ended"}
    return [f"not killed in {each.name}" for each in operator.steps if each.name not in killed]


def wrong_secrets(pair: PairUnderTest, kind: str, before: Held) -> list[str]:
    """Return what is wrong with the secrets in stacks, clusters and pods."""
    after = held_by_stacks(pair.topology, pair.pair, kind)
    gone = gone_after(KINDS[kind], before)
    used = {name: after[0][name] for name in KINDS[kind].names if name in after[0]}
    found = wrong_stacks(KINDS[kind], before, after)
    for site in pair.pair.sites:
        found += wrong_cluster(site, gone, used, documents_of(site))
        found += wrong_pods(site, gone, before)
    return found


def wrong_doors(pair: PairUnderTest, kind: str, before: Held) -> list[str]:
    """Return which doors do not take the new secret, and which ones still take the old one."""
    new = held_by_stacks(pair.topology, pair.pair, kind)[0]
    ask: Callable[[PairUnderTest, Held], dict[str, str]] = TRIED[kind]
    found = wrong(ask(pair, new), wanted=ACCEPTED, which="new") + wrong(ask(pair, before), wanted=REFUSED, which="old")
    if kind == DATABASE_CERTIFICATES.name:
        found += wrong(mixed_certificates(pair, before, new), wanted=REFUSED, which="old")
    return found

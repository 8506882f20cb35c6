"""Bringing a site's stack to its cluster, when nothing but secrets changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runbooks.engine import BlockedError
from shopsphere.deploy.arming import require_armed_pack
from shopsphere.deploy.listening import Listener
from shopsphere.deploy.outcomes import UPDATE, PlanOutcome, ResourceChange
from shopsphere.deploy.runner import Work, run_plan
from shopsphere.deploy.verbs import preview_work, up_work
from shopsphere.deploy.waves import Plan, deployment_plan
from shopsphere.estate.stack import Environment
from shopsphere.topology import Topology

READY_SECONDS = 420.0
"""Bound on the rollout of a site (s); as that of `shopsphere up`."""
OF_SECRETS = frozenset(
    {
        "kubernetes:core/v1:Secret",
        "kubernetes:core/v1:ConfigMap",  # the certificate of the authority, for pods
        "kubernetes:apps/v1:Deployment",  # its pods read secrets once, when they start
        "kubernetes:apps/v1:StatefulSet",  # the same of the event log
    }
)
"""Types of resources that change when a secret does."""

Carry = Callable[[Plan, Work, Listener], PlanOutcome]


@dataclass(frozen=True)
class SiteDeployment:
    """Deploys single sites of an environment.

    Attributes:
        topology: of the environment.
        environment: lab or prod.
        listener: is told of the progress.
        carry: carries a plan out; replaceable in tests.
        arm: shows that the policy pack refuses what it has to; replaceable in tests.
    """

    topology: Topology
    environment: Environment
    listener: Listener
    carry: Carry = run_plan
    arm: Callable[[], object] = require_armed_pack

    def require_no_changes(self, sites: tuple[str, ...]) -> None:
        """Refuse to begin where a deployment would bring more than secrets.

        Raises:
            BlockedError: the stack of a site differs from what is deployed.
            PlanFailedError: a preview failed.
        """
        self.arm()
        for site in sites:
            shown = self._previewed(site)
            if shown.changed:
                raise BlockedError.because(
                    f"{site}: {shown.changed[site]} resources would change beside the secrets",
                    action=f"`shopsphere preview {site}`; `shopsphere up` of the pair first",
                )

    def bring(self, site: str) -> None:
        """Preview a site's stack, refuse what is not of secrets, apply just that, and wait until it is rolled out.

        Raises:
            BlockedError: something else would change.
            ChangedSinceApprovalError: something changed between the preview and the deed.
            PlanFailedError: it failed, or did not become ready in time.
        """
        shown = self._previewed(site)
        others = [each for stack in shown.stacks if stack.planned for each in stack.planned.changes if not _fits(each)]
        if others:
            listed = ", ".join(f"{each.operation} {each.name}" for each in others[:5])
            raise BlockedError.because(
                f"{site}: more than secrets would change: {listed}",
                action=f"`shopsphere preview {site}`; put it back, or `shopsphere up {site}` if it is meant; then this "
                "command again",
            )
        work = up_work(self.topology, site, refresh=False, verify_seconds=READY_SECONDS, approved=shown.fingerprints)
        self.carry(self._plan(site), work, self.listener).require_success()

    def _previewed(self, site: str) -> PlanOutcome:
        shown = self.carry(self._plan(site), preview_work(self.topology, refresh=False), self.listener)
        shown.require_success()
        return shown

    def _plan(self, site: str) -> Plan:
        return deployment_plan(self.topology, site, self.environment)


def _fits(change: ResourceChange) -> bool:
    return change.operation == UPDATE and change.type in OF_SECRETS

"""What the engine's events say about a run: resources, policy verdicts, errors, and that the pack ran."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pulumi.automation import EngineEvent
from pulumi.automation.events import SummaryEvent

from shopsphere.deploy.changes import UNCHANGED, change_of, fingerprint, is_change, name_of
from shopsphere.deploy.outcomes import MANDATORY, EngineRun, ResourceChange, Violation
from shopsphere.foundation.errors import ShopSphereError

PROTECTED = re.compile(
    r"unable to replace resource .*\s+as it is currently marked for protection"
    r"|cannot be deleted\s+because it is protected"
)
"""How the engine says that it does not replace, or does not delete, a resource that its state protects."""
STOPPED = frozenset({"preview failed", "update failed", "destroy failed"})
"""What the engine adds to an error that it has told of before."""
COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")


class PolicyPackMissingError(ShopSphereError):
    """A run ended without proof that the policy pack judged it."""


@dataclass
class Run:
    """One run of the engine, filled while its events arrive.

    Attributes:
        advanced: called with the number of resources done so far.
        judged: called with each verdict of the policy pack.
        done: URNs that the engine has finished.
        changes: resources that change, by URN, in the order in which the engine came to them.
        counts: number of resources per operation, from the summary.
        packs: name and version of the policy packs that ran, from the summary.
        violations: all verdicts, in order, each once.
        errors: the engine's error messages, each once.
        protected: URNs that it would not delete or replace, because its state protects them.
        to_protect: URNs whose protection differs between the state and the program.
    """

    advanced: Callable[[int], None]
    judged: Callable[[Violation], None]
    done: set[str] = field(default_factory=set)
    changes: dict[str, ResourceChange] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    packs: dict[str, str] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    protected: dict[str, None] = field(default_factory=dict)
    to_protect: set[str] = field(default_factory=set)

    @property
    def is_only_protected(self) -> bool:
        """Whether nothing is in the way of a run that failed but that the state protects what it would take away."""
        stopped_by_rules = any(violation.level == MANDATORY for violation in self.violations)
        return bool(self.protected) and not stopped_by_rules and STOPPED.issuperset(self.errors)

    @property
    def changed(self) -> int:
        """Number of resources that the run changed, or would change."""
        return sum(count for operation, count in self.counts.items() if operation not in UNCHANGED)

    @property
    def total(self) -> int:
        """Number of resources in the stack."""
        return sum(self.counts.values())

    def receive(self, event: EngineEvent) -> None:
        """Take one event."""
        if event.resource_pre_event:
            metadata = event.resource_pre_event.metadata
            if is_change(metadata):
                self.changes[metadata.urn] = change_of(metadata)
            if metadata.old and metadata.new and bool(metadata.old.protect) != bool(metadata.new.protect):
                self.to_protect.add(metadata.urn)
        elif event.res_outputs_event:
            self.done.add(event.res_outputs_event.metadata.urn)
            self.advanced(len(self.done))
        elif event.policy_event:
            self._judge(event)
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            self._note_error(event)
        elif event.summary_event:
            self._sum_up(event.summary_event)

    def result(self, seconds: float) -> EngineRun:
        """Return what is known of the run, also of one that failed on its way."""
        changes = tuple(self.changes.values())
        if self.protected:
            # The engine's own summary leaves out what it refused.
            self.counts = {**self.counts, **Counter(change.operation for change in changes)}
        return EngineRun(
            changes=changes,
            counts=self.counts,
            changed=self.changed,
            total=self.total,
            protected=tuple(self.protected),
            to_protect=len(self.to_protect),
            # The engine reports a local pack as name|local|folder.
            packs={name.split("|")[0]: version for name, version in self.packs.items()},
            violations=tuple(self.violations),
            seconds=round(seconds, 3),
            fingerprint=fingerprint(sorted(change.fingerprint for change in changes)),
        )

    def require_pack(self) -> None:
        """Accept only a run that the policy pack has judged.

        Raises:
            PolicyPackMissingError: the engine's summary names no pack.
        """
        if not self.packs:
            raise PolicyPackMissingError.build(
                "the policy pack did not run",
                expected="its name in the engine's summary of the run",
                found="a summary without a policy pack",
                action="do not trust this run; see whether `pulumi preview --policy-pack` loads policies/, then repeat",
            )

    def _sum_up(self, summary: SummaryEvent) -> None:
        # The names arrive as text or as members of an enumeration, depending on the SDK.
        self.counts = {str(getattr(key, "value", key)): count for key, count in summary.resource_changes.items()}
        self.packs = dict(summary.policy_packs or {})

    def _judge(self, event: EngineEvent) -> None:
        verdict = event.policy_event
        assert verdict is not None  # noqa: S101 - narrows the type; the caller has tested it
        found = Violation(
            rule=verdict.policy_name,
            level=verdict.enforcement_level,
            resource=name_of(verdict.resource_urn),
            message=clean(verdict.message),
        )
        if found not in self.violations:
            self.violations.append(found)
            self.judged(found)

    def _note_error(self, event: EngineEvent) -> None:
        diagnostic = event.diagnostic_event
        assert diagnostic is not None  # noqa: S101 - narrows the type; the caller has tested it
        where = name_of(diagnostic.urn)
        text = clean(diagnostic.message)
        if diagnostic.urn and PROTECTED.search(text):
            self.protected[diagnostic.urn] = None
            return
        line = f"{where}: {text}" if where else text
        if text and line not in self.errors:
            self.errors.append(line)


def clean(message: str) -> str:
    """Return an engine message without colour marks."""
    return COLOUR.sub("", message).strip()

"""Which instance may lead in place of another one at the same site: of the ledger by ADR 45, and of both by ADR 65.

No rules of the pack: they judge a change of `status`, by what the cluster's document says at that moment. The API
server judges each change against the document that it changes, so what the site's agent has written there holds at
once, whatever the database operator has read before.
"""

from __future__ import annotations

from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal, literals
from shopsphere.estate.databases import COMPLETE_COPIES, DATABASES, PROMOTION_SECONDS, TOLD_TO_LEAD

DECISION, UNDER_WAY = "ADR-045", "ADR-065"
PENDING = "pending"
"""What CloudNativePG has as the target while the old primary is shut down, before it names the next one."""
_STATUS, _SPEC = "oldObject.?status", "oldObject.spec"
_TARGET = f"{_STATUS}.?targetPrimary.orValue('')"
_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
_CLOCKS_DIFFER_BY = 2
"""Seconds by which the operators' clock may be ahead of a site's; `doctor` finds more."""
_NEXT = "object.?status.?targetPrimary.orValue('')"


def policies() -> list[AdmissionPolicy]:
    """Return the policies; they are the same at every site."""
    return [*_of_the_ledger(), _while_it_is_promoted()]


def _while_it_is_promoted() -> AdmissionPolicy:
    told = f"oldObject.metadata.?annotations.orValue({{}})[?{literal(TOLD_TO_LEAD)}].orValue('')"
    since = "timestamp(variables.chosen) - timestamp(variables.told)"
    return AdmissionPolicy(
        "promotion-under-way",
        (Resources("postgresql.cnpg.io", ("clusters/status",)),),
        (
            Validation(
                UNDER_WAY,
                either(
                    "variables.next == variables.leading",
                    "variables.under_way",
                    "variables.chosen == ''",
                    f"!variables.told.matches({literal(_TIME)})",
                    f"{since} >= duration('{PROMOTION_SECONDS}s')",
                    f"{since} < duration('-{_CLOCKS_DIFFER_BY}s')",  # it says nothing, and is to keep nobody for long
                ),
                "status.targetPrimary: this database was just told to lead, and an instance that is being promoted may "
                f"be taken for one that is behind. Wait {PROMOTION_SECONDS} s; {TOLD_TO_LEAD} says when it was told",
            ),
        ),
        {
            "next": _NEXT,
            "leading": f"{_STATUS}.?currentPrimary.orValue('')",
            "told": told,
            "under_way": f"{_TARGET} != '' && {_TARGET} != variables.leading",
            "chosen": "object.?status.?targetPrimaryTimestamp.orValue('')",
        },
        {
            "of-a-database": f"request.?namespace.orValue('') in {literals(each.namespace.name for each in DATABASES)}",
            "that-has-led": f"{_STATUS}.?currentPrimary.orValue('') != ''",
            "another-instance": f"{_NEXT} != {_TARGET}",
        },
        operations=("UPDATE",),
    )


def _of_the_ledger() -> list[AdmissionPolicy]:
    namespaces = literals(each.namespace.name for each in DATABASES if each.synchronous)
    own = "oldObject.metadata.name"
    follows = f"{_SPEC}.?replica.?primary.orValue({own}) != {_SPEC}.?replica.?self.orValue({own})"
    synchronous = f"{_SPEC}.?postgresql.?synchronous"
    beside = f"{synchronous}.?maxStandbyNamesFromCluster.orValue(0)"
    outside = " + ".join(f"{synchronous}.?standbyNames{place}.orValue([]).size()" for place in ("Pre", "Post"))
    copies = f"oldObject.metadata.?annotations.orValue({{}})[?{literal(COMPLETE_COPIES)}].orValue('')"
    return [
        AdmissionPolicy(
            "in-site-promotion",
            (Resources("postgresql.cnpg.io", ("clusters/status",)),),
            (
                Validation(
                    DECISION,
                    either(
                        "variables.next == variables.leading",  # the change is taken back
                        every(
                            "variables.copies != ''",
                            f"{beside} > 0",
                            f"{synchronous}.?number.orValue(0) == {outside} + {beside}",
                            # With more instances than these, PostgreSQL waits for those that are ready first.
                            f"{_STATUS}.?instanceNames.orValue([]).size() <= 1 + {beside}",
                            either(
                                f"variables.next == {literal(PENDING)}",
                                "variables.next in variables.copies.split(',')",
                            ),
                        ),
                    ),
                    "status.targetPrimary: this instance may lack what was acknowledged. Move the pair to the other "
                    f"site, or bring the leading instance back; {COMPLETE_COPIES} names the complete copies",
                ),
            ),
            {
                "next": _NEXT,
                "leading": f"{_STATUS}.?currentPrimary.orValue('')",
                "copies": copies,
            },
            {
                "of-a-synchronous-database": f"request.?namespace.orValue('') in {namespaces}",
                "that-takes-writes": f"!({follows})",
                "that-has-led": f"{_STATUS}.?currentPrimary.orValue('') != ''",
                "another-instance": f"{_NEXT} != {_TARGET}",
            },
            operations=("UPDATE",),
        )
    ]

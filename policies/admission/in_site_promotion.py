"""Which instance of the ledger may lead in place of another one at the same site: ADR 45.

No rule of the pack: it judges a change of `status`, by what the cluster's document says at that moment. The API server
judges each change against the document that it changes, so what the site's agent has written there holds at once,
whatever the database operator has read before.
"""

from __future__ import annotations

from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal, literals
from shopsphere.estate.databases import COMPLETE_COPIES, DATABASES

DECISION = "ADR-045"
PENDING = "pending"
"""What CloudNativePG has as the target while the old primary is shut down, before it names the next one."""
_STATUS, _SPEC = "oldObject.?status", "oldObject.spec"


def policies() -> list[AdmissionPolicy]:
    """Return the policy; it is the same at every site."""
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
                "next": "object.?status.?targetPrimary.orValue('')",
                "leading": f"{_STATUS}.?currentPrimary.orValue('')",
                "copies": copies,
            },
            {
                "of-a-synchronous-database": f"request.?namespace.orValue('') in {namespaces}",
                "that-takes-writes": f"!({follows})",
                "that-has-led": f"{_STATUS}.?currentPrimary.orValue('') != ''",
                "another-instance": f"object.?status.?targetPrimary.orValue('') != "
                f"{_STATUS}.?targetPrimary.orValue('')",
            },
            operations=("UPDATE",),
        )
    ]

"""The restored ledger against the payment provider's books, before it is live, asked by the payments service itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from runbooks.putting_in_place.instance import Instance
from shopsphere.clients.questions import ADMINISTRATION
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.workloads import PAYMENTS
from shopsphere.foundation.errors import ShopSphereError, told
from shopsphere.status.reconciliation import COMPARISON_SECONDS
from shopsphere.status.workload_program import run_in_workload

MOST_DAYS = 90
SHOWN = 20
_ASKS_WITH = 2
"""Connections that the comparison may have; it is the only one that may come in."""


def against_provider(leading: Instance, model: DatabaseModel, name: str, to: datetime) -> list[str]:
    """Return in lines what a restored ledger and the provider do not agree about; what is not known, too.

    The service's login comes into the database for as long as that takes.

    Raises:
        ClusterError: the instance does not answer.
    """
    days = min(MOST_DAYS, max(1, (datetime.now(UTC) - to).days + 2))
    dsn = model.dsn.replace(f"/{model.name}?", f"/{name}?")
    command = ["env", f"{model.name.upper()}_DSN={dsn}", "shop", "reconcile", "--days", str(days)]
    leading.run(ADMINISTRATION, f'ALTER DATABASE "{name}" CONNECTION LIMIT {_ASKS_WITH}')
    try:
        output = run_in_workload(leading.cluster, PAYMENTS, command, extra_seconds=COMPARISON_SECONDS)
        found: dict[str, Any] = json.loads(output.strip().rpartition("\n")[2])
        return [*_told(found, days)]
    except (ShopSphereError, ValueError, KeyError, TypeError) as error:
        return [f"the provider's books were NOT compared, nothing is known of them: {told(error)}"]
    finally:
        leading.run(ADMINISTRATION, f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')


def _told(found: dict[str, Any], days: int) -> list[str]:
    differing = found["differences"]
    lines = [
        f"the provider's books of {days} days, {found['charges']} charges, against {found['payments']} payments: "
        f"{len(differing)} differences",
        *(
            f"  {each['kind']}: {each['key']}: expected {each['expected']}, found {each['found']}"
            for each in differing[:SHOWN]
        ),
    ]
    if len(differing) > SHOWN:
        lines.append(f"  {len(differing) - SHOWN} more; `shopsphere reconcile` lists them afterwards")
    return lines

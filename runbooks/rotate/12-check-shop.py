"""A customer gets a page from the active site, and may send a form; the ledger is at both sites."""

from runbooks.rotation.renewal_run import Renewal
from shopsphere.clients.web import takes_forms
from shopsphere.witness import Sync

TITLE = "Fetch a page and send a form under the shop's public name, and wait until the ledger is at both sites"
SECONDS = 120
_ANSWER_SECONDS = 2


def check(renewal: Renewal) -> str:
    """Say what is asked."""
    return f"the shop of {renewal.rotation.pair.name} answers and takes forms, and the witness says sync on"


def verify(renewal: Renewal) -> bool:
    """All goes well."""
    access = renewal.rotation.access
    record = access.witness.see().require_record(renewal.rotation.pair.name)
    door = access.door(access.declaration().addresses[record.active], seconds=_ANSWER_SECONDS)
    return record.sync is Sync.ON and door.page() > 0 and takes_forms(door)

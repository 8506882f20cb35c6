"""An act at a pair's witness that is no runbook leaves its lines in the audit log, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from runbooks.audit_trail import FILE, AuditTrail
from runbooks.engine import audit
from shopsphere.estate.paths import records_directory, require_records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.progress import say
from shopsphere.witness.heads import AuditShelf


@contextmanager
def noted_act(environment: Environment, shelf: AuditShelf, facts: Mapping[str, Any]) -> Iterator[None]:
    """Note that an act begins, and that it ended or was stopped; the witness keeps the head when it is over.

    Whoever sets up or repairs a witness may be at a machine without a folder of records, and is not kept from it: what
    cannot be noted is said. The head waits for the end, since the act may be what lets anybody in.

    Args:
        environment: whose log it is.
        shelf: of the pair's witness.
        facts: JSON values: what is done, by whom, with what.
    """
    folder = records_directory(environment)

    def begin() -> None:
        if environment is Environment.PROD and not folder.is_dir():  # whose it is to be is not for this act to say
            raise ShopSphereError(f"there is no folder {folder} (docs/production.md)")
        require_records_directory(environment)
        audit.append(folder / FILE, {"event": "begin", **facts})

    is_noted = _is_done(begin)
    event = "stop"
    try:
        yield
        event = "end"
    finally:
        trail = AuditTrail(folder, shelf)
        if is_noted and _is_done(lambda: trail.note({"event": event, **facts})):
            trail.settle()


def _is_done(note: Callable[[], object]) -> bool:
    try:
        note()
    except ShopSphereError as error:
        say(f"warning: this is not in the audit log: {one_line(error)}")
        return False
    return True

"""What a question that was not answered means for a check: not known, which is never a pass."""

from __future__ import annotations

import re

from runbooks.engine.errors import describe
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.finding import ASK_AGAIN, Finding, unknown

_LABEL = re.compile(r"^ *(expected|found|do): *", re.MULTILINE)


def from_error(error: Exception, subject: str = "") -> Finding:
    """Say that it could not be told; the error's own parts become what was found and what to do."""
    head, *parts = _LABEL.split(describe(error))
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    details = f" ({one_line(named['found'])})" if "found" in named else ""
    lead = f"{subject}: " if subject else ""
    return unknown(f"{lead}{one_line(head)}{details}", one_line(named.get("do", ASK_AGAIN)))

"""Whether a visitor agreed to be remembered: the answer that app/static/clicks.js keeps, and the browser's own."""

from __future__ import annotations

from collections.abc import Mapping

COOKIE, YES = "clicks", "yes"


def agrees(cookies: Mapping[str, str], gpc: str | None) -> bool:
    """Return whether somebody said yes, and their browser does not say no for them.

    Args:
        cookies: of the request.
        gpc: its header Sec-GPC (Global Privacy Control), of which 1 is a no; None for none.
    """
    return cookies.get(COOKIE) == YES and (gpc or "").strip() != "1"

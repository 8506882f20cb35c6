"""What voters say to a request that they do not carry out, and why one says nothing."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.trust import is_tls_failure

ENDS = "certificate_ends"
"""Extension of an answer that was read: what `shown_until` says."""


def says(response: httpx.Response) -> str:
    """Return the message of an error; empty of a success."""
    if response.is_success:
        return ""
    try:
        answer: object = response.json()
    except ValueError:
        return ""
    return message(answer) if isinstance(answer, dict) else ""


def message(answer: Mapping[str, Any]) -> str:
    """Return an error's words; calls that stream, as keepalive, wrap them once more."""
    inner = answer.get("error")
    return str((inner if isinstance(inner, dict) else answer).get("message", ""))


def shown_until(response: httpx.Response) -> datetime | None:
    """Return when the certificate ends that a voter has shown (UTC), while its answer is being read; else None."""
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream else None
    end = (tls.getpeercert() or {}).get("notAfter") if tls else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC) if end else None


def why(error: Exception) -> str:
    """Return what kept a voter from answering; of a certificate that is not accepted, why."""
    text, kind = one_line(error)[:160], type(error).__name__
    return f"{kind}: {text}" if is_tls_failure(error) or isinstance(error, ShopSphereError) else kind

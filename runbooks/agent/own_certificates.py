"""When the certificates end by which an agent is known: when one has ended, its site may not write any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

from runbooks.agent.config import AgentConfig
from shopsphere.clients.kubeconfig_ends import certificate_end
from shopsphere.foundation.certificates import end_of
from shopsphere.witness.users import agent_user

API, WITNESS = "API server", "witness"
"""Whom the agent asks with each."""


def with_certificates(
    describe: Callable[[], Mapping[str, object]], config: AgentConfig
) -> Callable[[], dict[str, object]]:
    """Return a description that also tells when each certificate ends (ISO 8601, UTC); null for one that is none.

    For the API server it is the one that the agent has found first: a new kubeconfig counts after a restart. The files
    for the witness are read again when they have changed.
    """
    file, of_api = config.witness_keys / f"{agent_user(config.site)}.crt", {API: cast("str | None", None)}

    def described() -> dict[str, object]:
        if of_api.get(API, "") is None:  # it may be written after the agent has started
            of_api.clear()
            of_api.update(api_certificate_end(config.kubeconfig, config.context))
        return {**describe(), "certificates": {**of_api, WITNESS: _told(end_of(file))}}

    return described


def api_certificate_end(kubeconfig: Path, context: str) -> dict[str, str | None]:
    """Return when the certificate of a kubeconfig's context ends, by API; nothing where it logs in otherwise."""
    return {whom: _told(end) for whom, end in certificate_end(kubeconfig, context, API).items()}


def _told(end: datetime | None) -> str | None:
    return end.isoformat() if end else None

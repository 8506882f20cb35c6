"""What is kept belongs to a class of data, and nothing that nobody uses is kept for longer than what is used."""

from __future__ import annotations

from collections.abc import Iterator

from shopsphere.foundation.document_problem import Problem
from shopsphere.topology.model import Topology
from shopsphere.topology.retention import Retention


def retention_problems(topology: Topology) -> Iterator[Problem]:
    """Find classes of data that the document does not have, and unused sessions that outlive used ones."""
    for name in Retention.model_fields:
        if name not in topology.data_classes:
            known = ", ".join(topology.data_classes)
            yield Problem("data_classes", f"the class {name!r}, whose data the shop holds", known)
    personal = topology.retention.personal
    if personal.unused_session_days > personal.session_days:
        expected = f"at most {personal.session_days} days, which session_days gives to those in use"
        yield Problem("retention.personal.unused_session_days", expected, str(personal.unused_session_days))

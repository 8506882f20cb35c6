"""Graphs without the places in the source that asked for each resource."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2


@contextmanager
def without_source_positions() -> Iterator[None]:
    """Register resources without the stack of calls that led to them.

    An engine shows it beside its messages. The mocks take no notice of it, and it is a sixth of a build's time.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resource, "_get_stack_trace", source_pb2.StackTrace)
        yield

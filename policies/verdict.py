"""Findings, and the one place where an unknown or malformed value becomes a violation.

Left alone, the policy SDK turns a rule that touches an unknown value into an advisory remark, which lets the resource
through exactly when nobody can tell where it will be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pulumi_policy.proxy import UnknownValueError

from policies.reading import MalformedError
from policies.resource import Resource
from shopsphere.topology.quantities import QuantityError


@dataclass(frozen=True)
class Finding:
    """One violation.

    Attributes:
        found: the property and its value.
        allowed: what it may be.
        action: what to do, where that is more exact than the rule's remediation.
    """

    found: str
    allowed: str
    action: str = ""


def guarded(look: Callable[[Resource], Iterator[Any]], resource: Resource) -> Iterator[Any]:
    """Yield what `look` yields for a resource, and a Finding in place of a value it cannot know or read."""
    try:
        yield from look(resource)
    except UnknownValueError as error:
        yield Finding(
            found=f"{'.'.join(error.props)} is not known before the update",
            allowed="a value that is known at preview",
            action="write it as plain text in the program or its configuration, not as another resource's output",
        )
    except MalformedError as error:
        yield Finding(found=f"{error.path} is {error.found}", allowed=error.expected)
    except QuantityError as error:
        yield Finding(found=str(error).splitlines()[-2].strip(), allowed="a Kubernetes quantity, as in 250m or 512Mi")

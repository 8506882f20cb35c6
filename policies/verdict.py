"""How a rule says that something is wrong, and the one place where an unknown or malformed value becomes that too.

Otherwise a rule that touches an unknown value would give no verdict at all, and the resource would pass just when
nobody can tell where it will be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from policies.reading import MalformedError
from policies.resource import Resource
from policies.unknown import NotKnownError
from shopsphere.foundation.finding import Finding, Verdict


def violation(found: str, allowed: str, action: str = "") -> Finding:
    """Say what is wrong: the property and its value, what it may be, what to do where the rule's advice is vague."""
    return Finding(verdict=Verdict.FAILED, found=found, allowed=allowed, action=action)


def guarded(look: Callable[[Resource], Iterator[Any]], resource: Resource) -> Iterator[Any]:
    """Yield what `look` yields for a resource, and a Finding in place of a value it cannot know or read."""
    try:
        yield from look(resource)
    except NotKnownError as error:
        yield Finding(
            verdict=Verdict.UNKNOWN,
            found=f"{error.path} is not known before the update",
            allowed="a value that is known at preview",
            action="write it as plain text in the program or its configuration, not as another resource's output",
        )
    except MalformedError as error:
        yield violation(f"{error.path} is {error.found}", error.expected)

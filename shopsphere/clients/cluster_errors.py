"""What a Kubernetes API can answer instead of what it was asked for, told apart by what to do next."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from kubernetes.client.exceptions import ApiException

from shopsphere.foundation.certificates import end_of
from shopsphere.foundation.errors import MayPassError, NoAnswerError, ShopSphereError, one_line

_MAY_PASS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_HANDSHAKE = re.compile(r"Handshake status (?P<status>\d{3})")
_TOLD = re.compile(r'"message":(?P<message>"(?:[^"\\]|\\.)*")')
"""Where the API's own document, which the client shows as text, says what is wrong."""
_LONGEST = 300  # characters of an API's message that are shown
_RIGHT = re.compile(r'forbidden: (?P<who>User "[^"]*") cannot (?P<right>.*)', re.DOTALL)
"""How an API says that a right is missing; what admission refuses is told otherwise."""


@dataclass(frozen=True)
class Asker:
    """As whom a site's API is asked.

    Attributes:
        role: as whom, as in `watch`.
        credentials: the kubeconfig, and where it is named.
        site: whose API.
        environment: lab or prod.
    """

    role: str
    credentials: str
    site: str
    environment: str


class ClusterError(ShopSphereError):
    """A question to a cluster, or a change of it, did not go as asked."""


class ClusterUnreachableError(ClusterError, NoAnswerError):
    """The API did not answer, or said that it cannot now; nothing is known, and asking again may help."""


class UnreadableAnswerError(ClusterError, NoAnswerError):
    """Something answered, and not with what was asked for; nothing is known, and asking again may help."""


class ProgramError(ClusterError, NoAnswerError):
    """A program in a container could not be started, or failed; pods come and go, so asking again may help."""


class NoAccessError(ClusterError):
    """This machine does not know how to reach the API: its stack or its kubeconfig has to be put right first."""


class NotFoundError(ClusterError):
    """The API answered that there is no such object, or no such kind of objects."""


class ConflictError(ClusterError):
    """The API answered that the object is another version by now: look at it again, and decide anew."""


class ExpiredError(ClusterError, MayPassError):
    """The API answered that it no longer knows the version to begin from: list anew, and watch from there."""


class RefusedError(ClusterError):
    """The API answered no: the same request will be refused again."""


class ForbiddenError(RefusedError, MayPassError):
    """The API answered that access is forbidden; an API that is starting says so until it has read the access rules.

    So a wait goes on until its bound. Outside a wait this is a refusal like any other.
    """


def from_api(
    where: str, error: ApiException, asker: Asker | None = None, certificate: str | None = None
) -> ClusterError:
    """Return the error that an API's answer stands for.

    Args:
        where: begins the message: the context and the request.
        error: from the client; without a status it is a broken or untrusted connection.
        asker: as whom it was asked, where that is known.
        certificate: file with the one that was shown; None where there was none.
    """
    status = error.status or 0
    if not status:
        return ClusterUnreachableError(f"{where}: no answer: {last_line(error)}")
    said = f"{where}: {status} {error.reason or ''}".rstrip() + _message(error)
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(said)
    if status == HTTPStatus.CONFLICT:
        return ConflictError(said)
    if status == HTTPStatus.GONE:
        return ExpiredError(said)
    if status in _MAY_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ClusterUnreachableError(said)
    return _refused(said, status, asker, certificate)


def from_exec(where: str, error: Exception, asker: Asker | None = None) -> ClusterError:
    """Return the error that keeps a program in a container from being started; the arguments as of `from_api`.

    The client gives the API's answer as text only. A pod that is not there may be made anew at this moment.
    """
    text = str(getattr(error, "reason", None) or error)
    found, told = _HANDSHAKE.search(text), _TOLD.search(text)
    status = int(found["status"]) if found else 0
    said = f"{where}: {status} ({json.loads(told['message'])})" if told else f"{where}: {last_line(error)}"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _refused(said, status, asker)
    return ProgramError(said) if status else ClusterUnreachableError(said)


def last_line(error: Exception) -> str:
    """Return the last line of what a library says, which names the cause; its type when it says nothing."""
    reason = getattr(error, "reason", None) or error
    lines = str(reason).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def _ended(certificate: str | None, asker: Asker | None) -> str:
    """Return what to do about a certificate that has ended; empty where it has not. An API looks at each request."""
    end = end_of(Path(certificate)) if certificate else None
    if end is None or end > datetime.now(UTC):
        return ""
    of, site, role = (asker.credentials, asker.site, asker.role) if asker else ("this kubeconfig", "SITE", "ROLE")
    return (
        "  expected: a client certificate that has not ended\n"
        f"  found:    that of {of} ENDED {end:%Y-%m-%d %H:%M} UTC\n"
        f"  do:       `shopsphere policy certificate {site} --role {role}` says what to do, for an agent "
        "docs/production.md, step 6; then restart what runs with it"
    )


def _refused(said: str, status: int, asker: Asker | None, certificate: str | None = None) -> RefusedError:
    if status == HTTPStatus.UNAUTHORIZED and (told := _ended(certificate, asker)):
        return RefusedError(f"{said}\n{told}")
    kind = ForbiddenError if status == HTTPStatus.FORBIDDEN else RefusedError
    if asker and (missing := _RIGHT.search(said)):
        rights = f"`shopsphere policy rights {asker.site} --environment {asker.environment}`"
        return kind(
            f"{said[: missing.start()]}forbidden: the role {asker.role} has not the right for that\n"
            f"  expected: {one_line(missing['right'])[:_LONGEST].rstrip(' )')}\n"
            f"  found:    {asker.credentials}, which asks as {missing['who']}\n"
            f"  do:       {rights} prints what each role may do, for the cluster's owner to apply; "
            f"`up {asker.site}` binds what is of its namespaces; or name the kubeconfig of that role"
        )
    return kind(f"{said}\n  do:       give the credentials that right, or correct the request; then try again")


def _message(error: ApiException) -> str:
    """Return what the API's own document says of the cause, to follow the status; empty where it sent none."""
    try:
        told = one_line(json.loads(error.body)["message"])[:_LONGEST]
    except (ValueError, KeyError, TypeError):
        return ""
    return f" ({told})"

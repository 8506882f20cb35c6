"""A Kubernetes API, as plain JSON documents within a bounded time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from shopsphere.clients import stream
from shopsphere.clients.cluster_errors import (
    Asker,
    ClusterUnreachableError,
    ConflictError,
    NoAccessError,
    NotFoundError,
    UnreadableAnswerError,
    from_api,
    last_line,
)
from shopsphere.clients.conversation import Conversation
from shopsphere.clients.program_input import feed
from shopsphere.clients.program_output import output_of, whole_output
from shopsphere.foundation.keep_alive import KEPT_ALIVE

Document = dict[str, Any]
Body = Document | list[Document] | None
APPLY_PATCH = "application/apply-patch+yaml"  # JSON is YAML
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
PART_OF = "app.kubernetes.io/part-of=shopsphere"
_LOADING = threading.Lock()
"""One kubeconfig is loaded at a time: the client shares certificate files, and hands one out before it is filled."""
_TRIES = 3
"""Attempts at a change that names no version: the API refuses one when others change the object just then."""
_PAUSE = 0.02, 0.1
"""Shortest and longest pause between two attempts (s), chosen at random so that two writers do not collide again."""


class Cluster:
    """One site's API server.

    Args:
        kubeconfig: file with the credentials.
        context: context in it.
        seconds: bound on each request; a dead site is noticed within it.
        asker: as whom it is asked, for refusals; where nothing is known of that, they say less.

    Every request raises ClusterUnreachableError when no answer came in time, RefusedError when the answer is no,
    UnreadableAnswerError when it is no document.

    Raises:
        NoAccessError: the kubeconfig cannot be used.
    """

    def __init__(self, kubeconfig: Path, context: str, *, seconds: float = 3, asker: Asker | None = None) -> None:
        self.context, self._asker = context, asker
        self._seconds = seconds
        self._settings = client.Configuration()
        try:
            with _LOADING:
                config.load_kube_config(str(kubeconfig), context, self._settings, persist_config=False)
        except (ConfigException, OSError) as error:
            raise NoAccessError(
                f"{context}: no usable kubeconfig {kubeconfig}\n  expected: context {context!r} in it\n"
                f"  found:    {error}\n"
                "  do:       start the site, or correct shopsphere:kubeconfig, or kubeconfigs, of its stack"
            ) from error
        # The caller has a bound of its own; retries would multiply the time a dead site takes.
        self._settings.retries = False
        # One for all requests: it keeps its connections, and a handshake costs both sides more than most requests.
        self._api = client.ApiClient(self._settings)
        self._api.rest_client.pool_manager.connection_pool_kw["socket_options"] = KEPT_ALIVE

    def get(self, path: str, **query: str) -> Document:
        """Return the document at an API path, as in `/api/v1/nodes`.

        Raises:
            NotFoundError: there is none.
        """
        return self._request("GET", f"{path}?{urlencode(query)}" if query else path)

    def find(self, path: str) -> Document | None:
        """Return the document at an API path, or None where there is none."""
        try:
            return self.get(path)
        except NotFoundError:
            return None

    def date(self) -> str | None:
        """Return the Date header of an answer, which is the time that the API server believes it is.

        Raises:
            ClusterUnreachableError: no answer in time, or a refusal.
        """
        try:
            _, _, headers = self._api.call_api(
                "/version",
                "GET",
                auth_settings=["BearerToken"],
                response_type="object",
                _request_timeout=(self._seconds, self._seconds),
            )
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnreachableError(f"{self.context}: no time from {self._settings.host}") from error
        found: str | None = headers.get("Date")
        return found

    def patch(self, path: str, changes: Document, *, version: str = "") -> Document:
        """Apply a JSON merge patch (None removes a key) in one request and return the object that results.

        Args:
            path: of the object.
            changes: what is to differ.
            version: the resource version that was looked at; empty: whichever the object is now.

        Raises:
            NotFoundError: there is no such object.
            ConflictError: the object has another version by now, or others keep changing it.
        """
        if version:
            named = {**changes, "metadata": {**changes.get("metadata", {}), "resourceVersion": version}}
            return self._request("PATCH", path, named)
        return self._insist("PATCH", path, changes, kind=MERGE_PATCH)

    def apply(self, path: str, document: Document, *, manager: str) -> Document:
        """Make an object be what `document` says, on behalf of a field manager, whether it exists or not.

        Raises:
            ConflictError: others keep changing it.
        """
        query = urlencode({"fieldManager": manager, "force": "true"})
        return self._insist("PATCH", f"{path}?{query}", document, kind=APPLY_PATCH)

    def patch_steps(self, path: str, steps: Sequence[Document], *, manager: str) -> Document:
        """Carry out a JSON patch (RFC 6902) on behalf of a field manager; all of its steps or none.

        Raises:
            RefusedError: a `test` among the steps found something else.
        """
        return self._request("PATCH", f"{path}?{urlencode({'fieldManager': manager})}", [*steps], kind=JSON_PATCH)

    def create(self, path: str, document: Document) -> Document:
        """Add an object to the collection at `path` and return it.

        Raises:
            ConflictError: there is one of this name already.
        """
        return self._request("POST", path, document, kind="application/json")

    def delete(self, path: str, *, uid: str = "") -> None:
        """Delete an object after its dependents; one that is gone already is no error.

        With `uid` it goes at once, before its dependents, and a later object of that name stays: ConflictError.
        """
        options: Document = {"propagationPolicy": "Foreground"}
        if uid:
            options = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        with suppress(NotFoundError):
            self._request("DELETE", path, options, kind="application/json")

    def _insist(self, method: str, path: str, body: Document, *, kind: str) -> Document:
        """Change an object whatever its version is; try again a few times when others change it too."""
        for _ in range(_TRIES - 1):
            with suppress(ConflictError):
                return self._request(method, path, body, kind=kind)
            time.sleep(random.uniform(*_PAUSE))  # noqa: S311 - keeps no secret, only parts writers that collided
        return self._request(method, path, body, kind=kind)

    def _request(self, method: str, path: str, body: Body = None, *, kind: str = MERGE_PATCH) -> Document:
        try:
            document: object = self._api.call_api(
                path,
                method,
                header_params={"Content-Type": kind} if body is not None else {},
                body=body,
                auth_settings=["BearerToken"],
                response_type="object",
                _return_http_data_only=True,
                _request_timeout=(self._seconds, self._seconds),
            )
        except ApiException as error:
            raise from_api(f"{self.context}: {method} {path}", error, self._asker, self._settings.cert_file) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnreachableError(
                f"{self.context}: no answer from {self._settings.host}: {last_line(error)}"
            ) from error
        if not isinstance(document, dict):
            raise UnreadableAnswerError(f"{self.context}: {method} {path} was answered with {str(document)[:80]!r}")
        return document

    def items(self, path: str, **query: str) -> list[Document]:
        """Return the entries of a list; of a kind that the cluster does not know, none."""
        with suppress(NotFoundError):
            return self.items_of_known_kind(path, **query)
        return []

    def items_of_known_kind(self, path: str, **query: str) -> list[Document]:
        """Return the entries of a list, for callers that must not take a missing kind for an empty list.

        Raises:
            NotFoundError: the cluster does not know the kind, or not yet.
        """
        document = self.get(path, **query)
        found = document.get("items")
        if not isinstance(found, list):
            given = str(document)[:80]
            raise UnreadableAnswerError(f"{self.context}: GET {path} was answered with no list, but {given}")
        return found

    def follow(self, path: str, heard: Callable[[], object], **query: str) -> None:
        """Call `heard` once the list at `path` is being watched, and at each change; return when the API ends it.

        Raises:
            ClusterUnreachableError: no answer, or the line broke.
            RefusedError: the answer is no.
        """
        for _change in self.lines(path, **query):
            heard()

    def lines(self, path: str, **query: str) -> Iterator[bytes]:
        """Watch the list at `path`: yield nothing once it is watched, then each change; end when the API ends it.

        Raises as `follow` does, and ExpiredError: the version to begin from is not known any more.
        """
        where = f"{self.context}: watch {path}"
        return stream.lines(self._api, where, path, query, seconds=self._seconds, asker=self._asker)

    def converse(
        self, namespace: str, pod: str, container: str, command: list[str], *, start: float = 0.0
    ) -> Conversation:
        """Start a program in a container that answers what it is asked, line by line; `start` as there.

        Raises:
            ProgramError: it could not be started.
        """
        return Conversation(self._settings, namespace, pod, container, command, self._seconds, self._asker, start=start)

    def execute(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: list[str],
        *,
        extra_seconds: float = 0,
        heard: Callable[[str], object] | None = None,
    ) -> str:
        """Run a program in a container and return its standard output.

        Args:
            namespace: of the pod.
            pod: its name.
            container: in it.
            command: the program and its arguments.
            extra_seconds: that the program may take beyond the bound of a request (s).
            heard: is told each piece of the output as it arrives.

        Raises:
            ProgramError: it could not be started, failed, or did not end in time.
        """
        return whole_output(
            (self._settings, namespace, pod, container),
            command,
            seconds=self._seconds,
            extra_seconds=extra_seconds,
            heard=heard,
            context=self.context,
            asker=self._asker,
        )

    def output_of(
        self, namespace: str, pod: str, container: str, command: list[str], *, seconds: float
    ) -> Iterator[bytes]:
        """Yield what a program in a container prints, as `program_output.output_of` does."""
        return output_of(self._settings, namespace, pod, container, command, seconds=seconds)

    def feed(self, where: tuple[str, str, str], command: list[str], pieces: Iterable[bytes], *, seconds: float) -> str:
        """Return what a program prints that reads all pieces, as `feed` does; where: namespace, pod, container."""
        return feed(self._settings, where, command, pieces, seconds=seconds)

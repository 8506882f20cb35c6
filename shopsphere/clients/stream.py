"""The lines of a watch, as the API server sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from shopsphere.clients.cluster_errors import Asker, ClusterUnreachableError, from_api, last_line

_WATCH_SECONDS = 240
"""Seconds after which the API server ends a watch by itself."""


def lines(
    api: client.ApiClient,
    where: str,
    path: str,
    query: Mapping[str, str],
    *,
    seconds: float,
    asker: Asker | None = None,
) -> Iterator[bytes]:
    """Yield nothing once the list at `path` is being watched, then each change; end when the API ends it.

    Args:
        api: the client.
        where: begins the message of an error.
        path: of the list.
        query: what else is asked.
        seconds: bound on the first answer.
        asker: as whom the API is asked, for errors.

    Raises:
        ClusterUnreachableError: no answer, or the line broke.
        ExpiredError: the version to begin from is not known any more.
        RefusedError: the answer is no.
    """
    question = urlencode({**query, "watch": "true", "timeoutSeconds": str(_WATCH_SECONDS)})
    try:
        answer = api.call_api(
            f"{path}?{question}",
            "GET",
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=(seconds, _WATCH_SECONDS + seconds),
        )
        try:
            yield b""
            yield from answer
        finally:
            answer.close()  # not reused: what is left of it would be read as the next answer
    except ApiException as error:
        raise from_api(where, error, asker) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ClusterUnreachableError(f"{where}: {last_line(error)}") from error

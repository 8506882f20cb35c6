"""`shop metrics`: what /metrics of the service in the same pod answers.

Who looks at the estate enters pods already, for the databases; so no other pod and no API server needs a way to a port
of the shop.
"""

from __future__ import annotations

import http.client

from app.errors import ShopError

SECONDS = 3.0
MOST_BYTES = 65536


def own_metrics(port: int) -> str:
    """Return the figures of the service that listens at this port of the pod, in Prometheus' text format.

    Raises:
        ShopError: it does not answer within 3 s, or not with figures.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read(MOST_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise ShopError(f"the service at port {port} of this pod does not tell its figures: {error}") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ShopError(f"the service at port {port} of this pod answered {answer.status} instead of its figures")
    return text

"""A client of Kafka, whichever kind: it starts, or says what is wrong with its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaException

from app.errors import ShopError

Client = TypeVar("Client")


def started(make: Callable[[], Client]) -> Client:
    """Return a client as `make` makes it.

    Raises:
        ShopError: a setting is none that the client takes, or a file cannot be read.
    """
    try:
        return make()
    except (KafkaException, ValueError, TypeError) as error:
        raise ShopError.build(
            "the client of Kafka does not start",
            expected="settings and files that it can use",
            found=str(error),
            action="correct the CLICKS_ variables, or the files that they name",
        ) from error

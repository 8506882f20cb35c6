"""Why something is not taken: a closed set. It is counted; what was refused is never logged or kept."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus


class Reason(StrEnum):
    """Why a request is refused."""

    HTTP = "http"
    """It is no HTTP/1.1 that has one meaning only, or wants another protocol."""
    PATH = "path"
    METHOD = "method"
    HEAD = "head"
    """Its line and headers are longer, or more, than any browser's."""
    LENGTH = "length"
    """It does not say in advance how long its body is."""
    SIZE = "size"
    EXPECTATION = "expectation"
    FOREIGN = "foreign"
    """A browser sent it from another site's page."""
    SLOW = "slow"
    """It was not whole in time."""
    PIPELINED = "pipelined"
    """So many requests of one connection wait for their answers already that no more are read."""
    JSON = "json"
    SHAPE = "shape"
    """Its JSON is no batch: a field is missing, of another type or beyond its bounds."""
    CONSENT = "consent"
    """It does not say that the visitor agreed, or the browser says that they do not (Global Privacy Control)."""
    NAME = "name"
    """A product or category has letters that no name of the catalogue has."""
    FULL = "full"
    """So much waits for the brokers that no more is kept."""
    LATE = "late"
    """The brokers did not acknowledge it in time. It may or may not have been written."""
    BROKER = "broker"
    """The brokers, or the client of theirs, refused it."""
    LEAVING = "leaving"
    """This process ends."""
    CONNECTIONS = "connections"
    """There are as many connections as this process keeps."""


STATUS = {
    Reason.HTTP: HTTPStatus.BAD_REQUEST,
    Reason.PATH: HTTPStatus.NOT_FOUND,
    Reason.METHOD: HTTPStatus.METHOD_NOT_ALLOWED,
    Reason.HEAD: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    Reason.LENGTH: HTTPStatus.LENGTH_REQUIRED,
    Reason.SIZE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.EXPECTATION: HTTPStatus.EXPECTATION_FAILED,
    Reason.FOREIGN: HTTPStatus.FORBIDDEN,
    Reason.SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Reason.PIPELINED: HTTPStatus.TOO_MANY_REQUESTS,
    Reason.JSON: HTTPStatus.BAD_REQUEST,
    Reason.SHAPE: HTTPStatus.BAD_REQUEST,
    Reason.CONSENT: HTTPStatus.BAD_REQUEST,
    Reason.NAME: HTTPStatus.BAD_REQUEST,
    Reason.FULL: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.LATE: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.BROKER: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.LEAVING: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.CONNECTIONS: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What each reason is answered with. A browser drops a batch after 400 and keeps it after 503."""


class RefusedError(Exception):
    """A batch is not taken; `reason` is all that is said about it."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.value)

"""Structured logs: one JSON object per line on stdout, without personal data.

Names, addresses, e-mail addresses, search words, tokens and cookies are never passed to a logger. Paths are logged as
route templates, since a path can hold an order's number.
"""

from __future__ import annotations

import logging
import sys

import structlog

from app import __version__

_QUIET = ("httpx", "httpcore", "_granian", "granian.access", "alembic.runtime.plugins")


def configure(process: str, site: str) -> structlog.stdlib.BoundLogger:
    """Set up logging for this process, the libraries' loggers included, and return its logger."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process, site=site, version=__version__)
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("shop")
    return logger

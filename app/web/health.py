"""/livez, /readyz and /version of every process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from litestar import Response, get

from app import __version__
from app.errors import DatabaseUnavailableError
from app.loops import Loop, problems

TEXT = "text/plain"  # the framework adds the charset


def health_routes(
    ready: Callable[[], Awaitable[Any]],
    site: str,
    loops: Sequence[Loop] = (),
    problem: str = "the database does not answer",
) -> list[Any]:
    """Return the health routes.

    Args:
        ready: asks what the process cannot work without, and raises when it is away.
        site: where this is.
        loops: what has to go on in the background; a process where one has ended is restarted.
        problem: what /readyz says when `ready` raises.
    """

    @get("/livez")
    async def livez() -> Response[str]:
        if ended := problems(loops):
            return Response(f"not alive: {'; '.join(ended)}\n", media_type=TEXT, status_code=503)
        return Response("alive\n", media_type=TEXT)

    @get("/readyz")
    async def readyz() -> Response[str]:
        try:
            await ready()
        except DatabaseUnavailableError:  # the log says what; whoever asks from outside need not know
            return Response(f"not ready: {problem}\n", media_type=TEXT, status_code=503)
        return Response("ready\n", media_type=TEXT)

    @get("/version")
    async def version() -> dict[str, str]:
        return {"version": __version__, "site": site}

    return [livez, readyz, version]

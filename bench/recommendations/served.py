"""The recommender as a process of its own, for service.py; everything may be shown, and no database is needed.

served.py own FILE PORT CORE SECONDS    the shop's server; every SECONDS a child makes an index anew, which is swapped
served.py granian FILE PORT CORE 0      the same answers behind Granian, without Litestar, and without a swap
served.py index FILE SESSIONS SEED      that child: makes up sessions, and writes their index
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import uvloop

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from synthetic import PRODUCTS, clicks  # noqa: E402 the path comes first

from app.recommendations.building import build  # noqa: E402
from app.recommendations.catalogue import numbers_of  # noqa: E402
from app.recommendations.index_file import save  # noqa: E402
from app.recommendations.knowledge import Knowledge  # noqa: E402
from app.recommendations.question import Answer, question_of  # noqa: E402
from app.recommendations.renewing import Catalogue, Rebuilding  # noqa: E402
from app.recommendations.serving import serve  # noqa: E402
from app.recommendations.settings import RecommendSettings  # noqa: E402
from app.server import run  # noqa: E402

NOW = 1_800_000_000
ALL = b"".join(number.to_bytes(4) for number in range(1, PRODUCTS + 1))


class Everything:
    """A database with all products on 100 shelves, all of them in stock; 300 buyers of some."""

    async def fetch(self, query: str, *_: object) -> list[Any]:
        if "buyers" in query:
            return [{"product_id": number, "buyers": 300} for number in range(1, PRODUCTS, 50)]
        return [{"id": number, "category": f"shelf-{number % 100}"} for number in range(1, PRODUCTS + 1)]

    async def fetchrow(self, *_: object) -> Any:
        raise NotImplementedError

    async def fetchval(self, *_: object) -> Any:
        return ALL


def settings(file: str, port: str, seconds: float) -> RecommendSettings:
    return RecommendSettings.read(
        {
            "SHOP_LISTEN": "127.0.0.1", "SHOP_PORT": port, "SHOP_DRAIN_SECONDS": "0",
            "COMMERCE_DSN": "postgresql://nobody@127.0.0.1/none", "RECOMMEND_INDEX_FILE": file,
            "RECOMMEND_REBUILD_SECONDS": str(seconds or 86_400),
        }
    )  # fmt: skip


def own(told: RecommendSettings, make: Callable[[], Awaitable[int]]) -> None:
    async def play() -> None:
        knowledge = Knowledge()
        rebuilding = Rebuilding(told.index_file, told.rebuild_every_seconds, knowledge, make=make)
        rebuilding.begin()
        await serve(told, knowledge, Catalogue(Everything(), knowledge), rebuilding)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())


class Bare:
    """An ASGI application that answers the same, with nothing else around it."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge, self.draining = knowledge, False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        told = b"ok" if not body else msgspec.json.encode(Answer(self._knowledge.row(question_of(body))))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(told)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": told})


def granian(told: RecommendSettings) -> None:
    knowledge = Knowledge()
    Rebuilding(told.index_file, told.rebuild_every_seconds, knowledge).begin()
    catalogue = Catalogue(Everything(), knowledge)
    asyncio.run(catalogue.turn())
    run(told.listen, lambda: Bare(knowledge))


def main(what: str, file: str, *more: str) -> None:
    if what == "index":
        os.nice(19)
        index = build(clicks(int(more[0]), NOW, int(more[1])), NOW)
        save(index, Path(file))
        return
    port, core, seconds = more[0], int(more[1]), float(more[2])
    os.sched_setaffinity(0, {core})
    if what == "granian":
        granian(settings(file, port, seconds))
        return

    async def make() -> int:
        child = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "index", file, os.environ["BENCH_SESSIONS"], os.environ["BENCH_SEED"]
        )
        return await child.wait()

    assert numbers_of(ALL)[-1] == PRODUCTS
    own(settings(file, port, seconds), make)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""`shop recommend` with real sockets: a swap under questions, a leave that loses none, settings that are refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop
from clicks_world import post
from free_port import free_port
from recommender_world import index_of, question

from app.errors import SettingsError
from app.recommendations.index_file import save
from app.recommendations.knowledge import Knowledge
from app.recommendations.renewing import Catalogue, Rebuilding
from app.recommendations.serving import serve
from app.recommendations.settings import RecommendSettings
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("an index is swapped, and a process ends, without a question lost")
INDEXES = ([[1, 2], [1, 3]], [[1, 4], [1, 5], [1, 6]])
ROWS = ({2, 3}, {4, 5, 6})


class AllShown:
    """A database in which everything may be shown."""

    async def fetch(self, *_: object) -> list[Any]:
        return []

    async def fetchrow(self, *_: object) -> Any:
        raise NotImplementedError

    async def fetchval(self, *_: object) -> Any:
        return b"".join(number.to_bytes(4) for number in range(1, 100))


class Line:
    """A connection of the storefront."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, data: bytes) -> tuple[int, bytes, bytes]:
        """Return status, head and body of the answer to a request."""
        self.writer.write(data)
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        return int(head.split()[1]), head, await self.reader.readexactly(length)

    async def row(self) -> set[int]:
        status, _, body = await self.ask(post(question(count=8), target="/row"))
        assert status == 200
        return {each["product"] for each in msgspec.json.decode(body)["row"]}


async def line_to(port: int) -> Line:
    for _ in range(1000):
        try:
            return Line(*await asyncio.open_connection("127.0.0.1", port))
        except OSError:
            await asyncio.sleep(0.01)
    raise AssertionError("nobody listens")


def served(
    folder: Path, story: Callable[[int, list[int], asyncio.Event], Awaitable[None]], drain: float = 0.05
) -> None:
    """Tell a story to a recommender that makes another index again and again; it is told port, swaps and the end."""
    swaps: list[int] = []
    settings = RecommendSettings.read(
        {
            "SHOP_LISTEN": "127.0.0.1",
            "SHOP_PORT": str(free_port()),
            "SHOP_DRAIN_SECONDS": str(drain),
            "COMMERCE_DSN": "postgresql://a@127.0.0.1/commerce",
            "RECOMMEND_INDEX_FILE": str(folder / "sessions"),
            "RECOMMEND_REBUILD_SECONDS": "0.1",
            "RECOMMEND_SHOWN_SECONDS": "0.05",
        }
    )

    async def make() -> int:
        save(index_of(INDEXES[len(swaps) % 2]), settings.index_file)
        swaps.append(1)
        return 0

    async def play() -> None:
        leaving, knowledge = asyncio.Event(), Knowledge()
        catalogue = Catalogue(AllShown(), knowledge)
        rebuilding = Rebuilding(settings.index_file, settings.rebuild_every_seconds, knowledge, make=make)
        rebuilding.begin()
        serving = asyncio.create_task(serve(settings, knowledge, catalogue, rebuilding, leaving=leaving))
        try:
            await story(settings.listen.port, swaps, leaving)
        finally:
            leaving.set()
            await asyncio.wait_for(serving, 20)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())


async def ready(line: Line) -> None:
    for _ in range(500):
        status, _, _ = await line.ask(post(b"", target="/readyz", method="GET"))
        if status == 200 and await line.row():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not become ready")


def test_every_answer_is_of_one_whole_index_while_they_are_swapped(tmp_path: Path) -> None:
    async def story(port: int, swaps: list[int], _: asyncio.Event) -> None:
        lines = [await line_to(port) for _ in range(4)]
        await ready(lines[0])
        seen: list[set[int]] = []

        async def ask(line: Line) -> None:
            until = len(swaps) + 6
            while len(swaps) < until:
                seen.append(await line.row())

        await asyncio.gather(*map(ask, lines))
        assert all(each in ROWS for each in seen)
        assert {min(each) for each in seen} == {2, 4}, "both were answered from"
        for line in lines:
            line.writer.close()

    served(tmp_path, story)


def test_while_it_drains_it_answers_and_says_that_it_leaves(tmp_path: Path) -> None:
    async def story(port: int, _swaps: list[int], leaving: asyncio.Event) -> None:
        line, other = await line_to(port), await line_to(port)
        await ready(line)
        leaving.set()
        await asyncio.sleep(0.05)
        status, head, _row = await line.ask(post(question(), target="/row"))
        assert (status, b"connection: close" in head) == (200, True)
        assert await line.reader.read() == b""
        status, _, body = await other.ask(post(b"", target="/readyz", method="GET"))
        assert (status, body) == (503, b"draining\n")
        other.writer.close()
        line.writer.close()

    served(tmp_path, story, drain=0.5)


def test_settings_that_cannot_be_right_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        RecommendSettings.read(
            {
                "COMMERCE_DSN": "mysql://a@b/c",
                "RECOMMEND_INDEX_FILE": str(tmp_path / "none" / "file"),
                "RECOMMEND_REBUILD_SECONDS": "soon",
                "RECOMMEND_SPEED": "1",
            }
        )
    text = str(refused.value)
    for name in ("COMMERCE_DSN", "RECOMMEND_INDEX_FILE", "RECOMMEND_REBUILD_SECONDS", "RECOMMEND_SPEED"):
        assert f"{name}: expected" in text


def test_an_image_without_numpy_says_what_to_do(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['numpy'] = None; from app import cli; cli.find_spec = lambda _: None; "
        "cli.main(['recommend'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env={**os.environ}, text=True, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "add numpy to app/requirements.in" in done.stderr

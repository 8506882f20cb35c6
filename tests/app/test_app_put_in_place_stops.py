"""Whatever stops the way of a restored database, the shop has one, and the same command goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from replaced_pair import MARK, Pods, ReplacedPair, begun, mark, marked, servers_of

from runbooks.engine import StepFailedError
from runbooks.putting_in_place import loading
from runbooks.putting_in_place.swapping import statements
from shopsphere.clients.cluster_errors import ProgramError
from shopsphere.estate.databases import COMMERCE
from shopsphere.foundation.errors import ShopSphereError

pytestmark = pytest.mark.requirement("putting a restored database in place can be stopped anywhere and goes on")


class KilledError(BaseException):
    """The process ends here; nothing catches it."""


def killed(*_: object, **__: object) -> Any:
    raise KilledError


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplacedPair]:
    yield from servers_of(COMMERCE, tmp_path_factory.mktemp("records"), MARK)


@pytest.fixture
def pair(servers: ReplacedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReplacedPair:
    return begun(servers, tmp_path / "records", monkeypatch, "then")


def swapped_by_hand(pair: ReplacedPair) -> tuple[list[str], Any]:
    run = pair.run()
    there = run.leading().databases()
    words = statements(run.swap(), there["commerce"], there[run.coming])
    where = f"postgresql://postgres@127.0.0.1:{pair.live.port}/postgres"
    return words, psycopg.connect(where, autocommit=True)


def test_a_kill_after_any_statement_of_the_swap_leaves_the_old_names_or_the_new_ones(pair: ReplacedPair) -> None:
    copy = pair.copy_now()
    marked(pair, "now")
    with pytest.raises(StepFailedError, match="--i-mean"):
        pair.call()
    before = pair.names()
    count = len(swapped_by_hand(pair)[0])
    assert count == 12
    for last in range(count - 1):  # but COMMIT
        words, session = swapped_by_hand(pair)
        for each in words[: last + 1]:
            session.execute(each)
        pair.live.admin(f"SELECT pg_terminate_backend({session.info.backend_pid}, 5000)")
        session.close()
        assert pair.names() == before, words[last]
        assert mark(pair) == "now", words[last]
    pair.call(named=copy.name)
    assert mark(pair) == "then"


@pytest.mark.parametrize("when", ["before it is sent", "after it was done"])
def test_a_process_that_is_killed_at_the_swap_goes_on(
    pair: ReplacedPair, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    copy = pair.copy_now()
    marked(pair, "now")
    with monkeypatch.context() as killing:
        execute = Pods.execute

        def killed(self: Pods, *words: Any, **more: Any) -> str:
            if "RENAME" not in " ".join(words[3]):
                return execute(self, *words, **more)
            if when.startswith("after"):
                execute(self, *words, **more)
            raise KilledError

        killing.setattr(Pods, "execute", killed)
        with pytest.raises(KilledError):
            pair.call(named=copy.name)
    assert mark(pair) == ("then" if when.startswith("after") else "now")
    assert pair.access.witness.locks == 0
    pair.call(named=copy.name)
    assert mark(pair) == "then"
    assert len(pair.names()) == 2
    assert pair.unfinished() is None


def test_a_swap_whose_answer_is_lost_is_seen_to_be_done(pair: ReplacedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = pair.copy_now()
    execute = Pods.execute

    def lost(self: Pods, *words: Any, **more: Any) -> str:
        output = execute(self, *words, **more)
        if "RENAME" in " ".join(words[3]):
            raise ProgramError("the line broke before its end")
        return output

    monkeypatch.setattr(Pods, "execute", lost)
    pair.call(named=copy.name)
    assert len(pair.names()) == 2


def test_where_names_cannot_be_swapped_the_live_one_goes_on_and_it_is_said(pair: ReplacedPair) -> None:
    copy = pair.copy_now()
    marked(pair, "now")
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{pair.live.port}/postgres") as other:
        other.execute("ALTER DATABASE commerce CONNECTION LIMIT 50")  # not committed: its row is locked
        with pytest.raises(
            StepFailedError, match="the names were not swapped, 3 times; the live database is as it was"
        ):
            pair.call(named=copy.name)
        assert mark(pair) == "now"
        assert pair.access.witness.locks == 0
        other.rollback()
    pair.call(named=copy.name)
    assert mark(pair) == "then"


def test_half_a_database_is_loaded_anew(pair: ReplacedPair) -> None:
    copy = pair.copy_now()

    def stop(piece: bytes) -> None:
        if b"PostgreSQL database dump complete" in piece:
            raise KilledError

    pair.pod.before_feeding = stop
    with pytest.raises(KilledError):
        pair.call(named=copy.name)
    half = pair.run().leading().databases()[copy.name]
    assert half.note["stage"] == ""
    pair.pod.before_feeding = lambda _piece: None
    pair.call(named=copy.name)
    assert mark(pair) == "then"


def test_a_dump_that_breaks_off_and_a_statement_that_fails_are_no_load(
    pair: ReplacedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = pair.copy_now()
    leading = pair.run().leading()
    with monkeypatch.context() as broken:
        broken.setattr(type(copy), "dump", lambda _: iter([b"CREATE TABLE public.a (i int);\n", b"SELECT 1/0;\n"]))
        with pytest.raises(ProgramError, match="division by zero"):
            loading.load(leading, copy)
        broken.setattr(type(copy), "dump", lambda _: iter([b"CREATE TABLE public.a (i int);\n\\q\n"]))
        with pytest.raises(ShopSphereError, match="was not loaded to its end"):
            loading.load(leading, copy)
    pair.beside.stop()  # type: ignore[union-attr]
    try:
        with pytest.raises(ShopSphereError):
            loading.load(leading, copy)
    finally:
        pair.beside.start()  # type: ignore[union-attr]
    assert not pair.run().has_come_to(loading.LOADED)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DELETE FROM catalogue.price WHERE size = (SELECT min(size) FROM catalogue.price)", "table catalogue.price"),
        ("UPDATE public.mark SET text = 'tampered'", "table public.mark"),
        ("REVOKE INSERT ON customers.customer FROM shop_app", "table customers.customer granted to shop_app"),
        ("ALTER TABLE carts.line OWNER TO postgres", "table carts.line owner"),
        ("DROP INDEX orders.order_open", "index orders.order_open"),
        ('ALTER TABLE orders."order" DISABLE TRIGGER guard_state', "trigger orders"),
        ("ALTER TABLE orders.line DROP CONSTRAINT line_quantity_check", "constraint orders.line"),
    ],
)
def test_what_was_not_loaded_as_it_is_in_the_copy_is_not_put_in_place(
    pair: ReplacedPair, change: str, named: str
) -> None:
    copy = pair.copy_now() if pair.beside is None else pair.same_copy()
    leading = pair.run().leading()
    if copy.name not in leading.databases():
        loading.load(leading, copy)
    where = f"postgresql://postgres@127.0.0.1:{pair.live.port}/{copy.name}"
    with psycopg.connect(where, autocommit=True) as session:
        session.execute(change)
    with pytest.raises(ShopSphereError, match="is not what the copy is") as found:
        loading.prove(leading, copy)
    assert named in str(found.value)
    assert not pair.run().has_come_to(loading.PROVEN)


def test_another_copy_takes_the_place_of_one_that_was_not_swapped(pair: ReplacedPair) -> None:
    first = pair.copy_now()
    with pytest.raises(StepFailedError, match="--i-mean"):
        pair.call()
    marked(pair, "later")
    second = pair.copy_now()
    marked(pair, "now")
    with pytest.raises(StepFailedError, match=second.name):
        pair.call(named=first.name)
    assert first.name in pair.names(), "whoever gave it up removes it"
    pair.call(named=second.name)
    assert mark(pair) == "later"
    pair.call(drop=first.name)
    assert first.name not in pair.names()


def test_what_was_swapped_is_finished_or_taken_back_and_nothing_else(
    pair: ReplacedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = pair.copy_now()
    marked(pair, "now")
    with monkeypatch.context() as kill:
        kill.setattr(Pods, "items", killed)
        with pytest.raises(KilledError):
            pair.call(named=copy.name)
    assert mark(pair) == "then"
    (kept,) = pair.names() - {"commerce"}
    with pytest.raises(ShopSphereError, match="an unfinished run is not at its end yet"):
        pair.call(drop=kept)
    pair.call(undo=kept)
    assert mark(pair) == "now"

"""The shop on this machine, for browsers: its processes, and what a walk can have done to it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
from postgres_cluster import Cluster
from shop_processes import FACTS, SECRET, Process, migrate

from app.media.render import render
from app.orders.payments_client import payment_key

ADMIN_TOKEN = "the-token-of-the-page-walk"
STOCK = 10**6
MANY = 10**6
LATE_MS = 4000  # longer than the payments service waits here
PSP_SECONDS = "1"
OVER = "16 minutes"
NEXT_STATE = {"paid": "in_production", "in_production": "dispatched", "dispatched": "delivered"}


class StartedShop:
    """PostgreSQL, simulated provider, payments service and storefront, and the acts that bring pages about."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="bench-pages-"))
        render(folder / "rendered")
        self.cluster = Cluster()
        self._running: list[Process] = []
        try:
            self._start(folder)
        except BaseException:
            self.close()
            raise
        self.cluster.query("commerce", "CREATE TABLE catalogue.first_price AS TABLE catalogue.price")
        self.as_new()

    def _start(self, folder: Path) -> None:
        for database in ("commerce", "ledger"):
            done = migrate(database, self.cluster)
            if done.returncode:
                raise RuntimeError(done.stdout + done.stderr)
        provider = self._run("psp", PSP_STATE_FILE=str(folder / "books.sqlite"), PSP_ADMIN_TOKEN=ADMIN_TOKEN)
        self._provider_url = provider.url
        payments = self._run(
            "payments",
            LEDGER_DSN=self.cluster.service_dsn("ledger"),
            PSP_URL=provider.url,
            PSP_TIMEOUT_SECONDS=PSP_SECONDS,
        )
        self.url = self._run(
            "serve",
            COMMERCE_DSN=self.cluster.service_dsn("commerce"),
            SHOP_SESSION_SECRET=SECRET,
            PAYMENTS_URL=payments.url,
            SHOP_RENDERED=str(folder / "rendered"),
            SHOP_REGION_FACTS=FACTS,
            SHOP_SITE="frankfurt",
            SHOP_CLICKS="1",
        ).url

    def _run(self, verb: str, **variables: str) -> Process:
        self._running.append(Process(verb, variables))
        return self._running[-1]

    def act(self, name: str, *details: str) -> None:
        """Do what a walk asks for; `ACTS` has the names."""
        ACTS[name](self, *details)

    def as_new(self) -> None:
        """Undo what the other acts did: full shelves, first prices, a provider and a database that are well."""
        self.provider("well")
        self.cluster.query("commerce", "UPDATE inventory.stock SET free = %s", STOCK)
        self.cluster.query("commerce", "UPDATE catalogue.product SET on_sale = true WHERE NOT on_sale")
        self.cluster.query(
            "commerce",
            "UPDATE catalogue.price now SET amount_minor = first.amount_minor FROM catalogue.first_price first "
            "WHERE (first.product_id, first.currency, first.size) = (now.product_id, now.currency, now.size) "
            "AND now.amount_minor <> first.amount_minor",
        )

    def provider(self, how: str) -> None:
        """Let the provider be `late`, take money and be `silent`, or not (`refuses`), or be `well` again."""
        faults = {
            "late": {"delay_ms": LATE_MS},
            "silent": {"lose_answers": 1, "lose_lookups": MANY},
            "refuses": {"refuse": MANY},
            "well": {},
        }[how]
        httpx.put(
            f"{self._provider_url}/admin/faults",
            json=faults,
            headers={"authorization": f"Bearer {ADMIN_TOKEN}"},
            trust_env=False,
            timeout=30,
        ).raise_for_status()

    def stock(self, product: str, free: str) -> None:
        """Set how many pieces of each variant of a product there are."""
        self.cluster.query(
            "commerce",
            "UPDATE inventory.stock SET free = %s WHERE sku IN (SELECT v.sku FROM catalogue.variant v "
            "JOIN catalogue.product p ON p.id = v.product_id WHERE p.slug = %s)",
            int(free), product,
        )  # fmt: skip

    def price(self, product: str, times: str) -> None:
        """Change the price of a product."""
        self.cluster.query(
            "commerce",
            "UPDATE catalogue.price SET amount_minor = amount_minor * %s "
            "WHERE product_id IN (SELECT id FROM catalogue.product WHERE slug = %s)",
            int(times), product,
        )  # fmt: skip

    def withdraw(self, product: str) -> None:
        """Take a product off sale."""
        self.cluster.query("commerce", "UPDATE catalogue.product SET on_sale = false WHERE slug = %s", product)

    def move_on(self, order: str) -> None:
        """Bring an order to its next state, as the workshop does."""
        state = self.cluster.query("commerce", 'SELECT state FROM orders."order" WHERE id = %s', order)[0][0]
        self.cluster.query("commerce", 'UPDATE orders."order" SET state = %s WHERE id = %s', NEXT_STATE[state], order)

    def time_is_over(self, order: str) -> None:
        """Let an order have been placed longer ago than a reservation lasts."""
        self.cluster.query(
            "commerce", 'UPDATE orders."order" SET placed_at = placed_at - %s::interval WHERE id = %s', OVER, order
        )
        self.turn(order)

    def turn(self, order: str) -> None:
        """Let shop and payments service look at an order now, however long they wanted to wait."""
        self.cluster.query("commerce", 'UPDATE orders."order" SET settle_due_at = now() WHERE id = %s', order)
        key = payment_key(UUID(order))
        self.cluster.query("ledger", "UPDATE payments.payment SET due_at = now() WHERE key = %s", key)

    def database(self, how: str) -> None:
        """Stop the database (`away`), or start it (`back`)."""
        if how == "away":
            self.cluster.stop("immediate")
        else:
            self.cluster.start()

    def schema(self, how: str) -> None:
        """Make each page of a product a fault of ours (`broken`), and undo it (`whole`)."""
        names = ("tagline", "tag_line") if how == "broken" else ("tag_line", "tagline")
        self.cluster.query("commerce", "ALTER TABLE catalogue.product RENAME {} TO {}".format(*names))

    def close(self) -> None:
        """End everything."""
        for process in reversed(self._running):
            process.stop()
        self.cluster.remove()


ACTS: dict[str, Callable[..., None]] = {
    "as-new": StartedShop.as_new,
    "provider": StartedShop.provider,
    "stock": StartedShop.stock,
    "price": StartedShop.price,
    "withdraw": StartedShop.withdraw,
    "move-on": StartedShop.move_on,
    "time-is-over": StartedShop.time_is_over,
    "turn": StartedShop.turn,
    "database": StartedShop.database,
    "schema": StartedShop.schema,
}

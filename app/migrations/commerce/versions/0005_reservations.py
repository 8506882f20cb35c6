"""Orders that were not paid in time, what the last comparison of orders with payments found, and who set a cart's line.

Revision ID: 0005
"""

from app.migrations.environment import execute

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Such an order is declined, as far as every reader of states is concerned; `lapse` says what became of its payment:
# open (asked to be voided, no answer yet), unpaid (nothing was taken), refunded (taken, and given back).
LAPSES = """
ALTER TABLE orders."order"
    ADD COLUMN lapse text CHECK (lapse IN ('open', 'unpaid', 'refunded')),
    ADD CONSTRAINT order_lapse_is_an_end CHECK (lapse IS NULL OR state = 'declined');
GRANT UPDATE (lapse) ON orders."order" TO shop_app;
CREATE INDEX order_open ON orders."order" (settle_due_at) WHERE state = 'pending_payment' OR lapse = 'open';
CREATE INDEX order_placed ON orders."order" (placed_at, id);
"""

# One row: who moves claimed_at makes the comparison, so that of several processes one does.
RECONCILIATION = """
CREATE TABLE orders.reconciliation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    claimed_at timestamptz NOT NULL DEFAULT '-infinity',
    finished_at timestamptz,
    orders bigint NOT NULL DEFAULT 0,
    payments bigint NOT NULL DEFAULT 0,
    differences bigint NOT NULL DEFAULT 0,
    oldest_at timestamptz
);
INSERT INTO orders.reconciliation DEFAULT VALUES;
GRANT SELECT, UPDATE ON orders.reconciliation TO shop_app;
"""

# Which form has set the number of pieces last; NULL when something else did.
LINES = "ALTER TABLE carts.line ADD COLUMN set_by bytea"


def upgrade() -> None:
    """Add columns, indexes and a table; what runs already sees none of them."""
    for statements in (LAPSES, RECONCILIATION, LINES):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

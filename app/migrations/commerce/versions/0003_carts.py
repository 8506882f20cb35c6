"""What makes a cart one customer's, and an order what was agreed to.

Revision ID: 0003
"""

from app.migrations.environment import execute

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# When a pending order is asked for next, and how often it was: each order has its own turn, so none blocks others.
SETTLING = """
ALTER TABLE orders."order"
    ADD COLUMN settle_attempts int NOT NULL DEFAULT 0,
    ADD COLUMN settle_due_at timestamptz NOT NULL DEFAULT now() + interval '8 seconds',
    ADD COLUMN settle_problem text;
CREATE INDEX order_settling ON orders."order" (settle_due_at) WHERE state = 'pending_payment';
GRANT UPDATE (settle_attempts, settle_due_at, settle_problem) ON orders."order" TO shop_app;
"""


def upgrade() -> None:
    """Apply this revision."""
    execute(SETTLING)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

"""What keeps a payment from being settled, and what the last comparison with the provider's settlements found.

Revision ID: 0002
"""

from app.migrations.environment import execute

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROBLEM = """
ALTER TABLE payments.payment ADD COLUMN problem text;
GRANT UPDATE (problem) ON payments.payment TO payments_app;
"""

# One row: who moves checked_at makes the comparison, so that of several processes one does.
RECONCILIATION = """
CREATE TABLE payments.reconciliation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    claimed_at timestamptz NOT NULL DEFAULT '-infinity',
    finished_at timestamptz,
    charges bigint NOT NULL DEFAULT 0,
    payments bigint NOT NULL DEFAULT 0,
    differences jsonb NOT NULL DEFAULT '[]'
);
INSERT INTO payments.reconciliation DEFAULT VALUES;
GRANT SELECT, UPDATE ON payments.reconciliation TO payments_app;
CREATE INDEX transfer_booked ON ledger.transfer (booked_at, payment_id);
"""


def upgrade() -> None:
    """Add the column and the table; what runs already does not see either."""
    for statements in (PROBLEM, RECONCILIATION):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

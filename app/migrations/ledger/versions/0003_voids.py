"""Payments that are no longer wanted: never charged, or given back. And a way to look through all of them in order.

Revision ID: 0003
"""

from app.migrations.environment import execute

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A payment that was given back stays captured, which it was; pods of the release before know no other state for it.
VOIDS = """
ALTER TABLE payments.payment
    ADD COLUMN void_asked_at timestamptz,
    ADD COLUMN refunded_at timestamptz,
    ADD CONSTRAINT payment_refunded_check
        CHECK (refunded_at IS NULL OR (state = 'captured' AND void_asked_at IS NOT NULL));
GRANT UPDATE (void_asked_at, refunded_at) ON payments.payment TO payments_app;
CREATE INDEX payment_to_refund ON payments.payment (due_at)
    WHERE state = 'captured' AND void_asked_at IS NOT NULL AND refunded_at IS NULL;
CREATE INDEX payment_created ON payments.payment (created_at, id);
ALTER TABLE ledger.transfer
    DROP CONSTRAINT transfer_kind_check,
    ADD CONSTRAINT transfer_kind_check CHECK (kind IN ('capture', 'refund'));
"""


def upgrade() -> None:
    """Add columns, indexes and a kind of transfer; what runs already sees none of them."""
    execute(VOIDS)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

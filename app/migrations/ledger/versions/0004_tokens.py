"""A card's token goes as its payment is captured or declined: nothing needs it after that.

Revision ID: 0004
"""

from app.migrations.environment import execute

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# In the database, so that it holds for pods of the release before as well; a refund goes by the charge.
TOKENS = """
CREATE OR REPLACE FUNCTION payments.guard_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('captured', 'declined') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state IN ('captured', 'declined') THEN
        NEW.token = '';
    END IF;
    RETURN NEW;
END $$;
UPDATE payments.payment SET token = '' WHERE token <> '' AND state IN ('captured', 'declined');
"""


def upgrade() -> None:
    """Remove the tokens of payments that have ended, now and from now on."""
    execute(TOKENS)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

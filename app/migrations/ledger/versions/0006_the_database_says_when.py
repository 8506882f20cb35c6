"""When a payment ended, was given up or given back, and when a comparison was made, is said by the database.

Whoever runs code in a service's pod could date a capture that the provider never confirmed out of the days that are
compared, or let no comparison be made any more. Those who are not the owner get the present in place of what they say.

Revision ID: 0006
"""

from app.migrations.environment import execute

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PAYMENT = """
CREATE FUNCTION payments.say_when() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.changed_at = now();
        NEW.void_asked_at = CASE WHEN NEW.void_asked_at IS NOT NULL THEN now() END;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('captured', 'declined') AND (NEW.state, NEW.refunded_at) IS NOT DISTINCT FROM
        (OLD.state, OLD.refunded_at) THEN
        NEW.changed_at = OLD.changed_at;
    ELSIF NEW.changed_at IS DISTINCT FROM OLD.changed_at OR (NEW.state, NEW.refunded_at) IS DISTINCT FROM
        (OLD.state, OLD.refunded_at) THEN
        NEW.changed_at = now();
    END IF;
    IF NEW.void_asked_at IS DISTINCT FROM OLD.void_asked_at THEN NEW.void_asked_at = now(); END IF;
    IF NEW.refunded_at IS DISTINCT FROM OLD.refunded_at THEN NEW.refunded_at = now(); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER say_when BEFORE INSERT OR UPDATE ON payments.payment
    FOR EACH ROW WHEN (NOT pg_has_role(current_user, 'ledger', 'USAGE')) EXECUTE FUNCTION payments.say_when();
"""

RECONCILIATION = """
CREATE FUNCTION payments.say_when_compared() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.claimed_at IS DISTINCT FROM OLD.claimed_at THEN NEW.claimed_at = now(); END IF;
    IF NEW.finished_at IS DISTINCT FROM OLD.finished_at THEN NEW.finished_at = now(); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER say_when BEFORE UPDATE ON payments.reconciliation
    FOR EACH ROW WHEN (NOT pg_has_role(current_user, 'ledger', 'USAGE'))
    EXECUTE FUNCTION payments.say_when_compared();
"""


def upgrade() -> None:
    """Add the triggers; what services of this and of the last release write stays as they write it."""
    for statements in (PAYMENT, RECONCILIATION):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

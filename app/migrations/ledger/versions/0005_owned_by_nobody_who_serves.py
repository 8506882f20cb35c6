"""What the payments service may write, for a service that logs in as a role of its own and can become no other.

A payment begins as an intent, or as a tombstone of one that was given up; its outcome changes only as far as the
provider's answers lead; and it has exactly the bookings that its outcome asks for. Whoever is not the owner is held to
this. The owner is not, so that a person can put right what a program got wrong; its password is in no service's pod.

Revision ID: 0005
"""

from app.migrations.environment import execute

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The columns that the service of this and of the last release write. When something was asked for and when it was
# booked is said by the database: a comparison of a day with the provider finds nothing that was dated elsewhere.
GRANTS = """
GRANT SELECT ON public.alembic_version TO payments_app;
REVOKE INSERT ON payments.payment, ledger.transfer FROM payments_app;
GRANT INSERT (id, key, fingerprint, reference, amount_minor, currency, token, state, decline_reason, due_at,
    void_asked_at) ON payments.payment TO payments_app;
GRANT INSERT (id, payment_id, kind) ON ledger.transfer TO payments_app;
"""

OUTCOMES = """
CREATE FUNCTION payments.guard_birth() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state = 'created' AND NEW.decline_reason IS NULL AND NEW.void_asked_at IS NULL THEN RETURN NEW; END IF;
    IF NEW.state = 'declined' AND NEW.void_asked_at IS NOT NULL AND NEW.token = '' THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'a payment cannot begin as %', NEW.state USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER guard_birth BEFORE INSERT ON payments.payment
    FOR EACH ROW WHEN (NOT pg_has_role(current_user, 'ledger', 'USAGE')) EXECUTE FUNCTION payments.guard_birth();
CREATE FUNCTION payments.guard_outcome() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state = 'created' AND OLD.state <> 'created' THEN
        RAISE EXCEPTION 'a payment cannot go from % to created', OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('captured', 'declined') AND
        (NEW.charge_id, NEW.decline_reason) IS DISTINCT FROM (OLD.charge_id, OLD.decline_reason) THEN
        RAISE EXCEPTION 'charge and reason of a payment that has ended do not change' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.void_asked_at IS NOT NULL AND NEW.void_asked_at IS DISTINCT FROM OLD.void_asked_at THEN
        RAISE EXCEPTION 'a payment that was given up stays given up' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.refunded_at IS NOT NULL AND NEW.refunded_at IS DISTINCT FROM OLD.refunded_at THEN
        RAISE EXCEPTION 'a payment that was given back stays given back' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_outcome BEFORE UPDATE ON payments.payment
    FOR EACH ROW WHEN (NOT pg_has_role(current_user, 'ledger', 'USAGE')) EXECUTE FUNCTION payments.guard_outcome();
"""

# Judged at COMMIT, of the payment as it is then: what changes it, and what books it, is one transaction.
BOOKINGS = """
CREATE FUNCTION ledger.refuse_other_bookings() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    judged uuid;
    wanted text[];
    found text[];
BEGIN
    IF TG_TABLE_NAME = 'payment' THEN
        judged = NEW.id;
    ELSIF TG_TABLE_NAME = 'transfer' THEN
        judged = NEW.payment_id;
    ELSE
        SELECT payment_id INTO STRICT judged FROM ledger.transfer WHERE id = NEW.transfer_id;
    END IF;
    SELECT array_agg(line.booking ORDER BY line.booking) INTO wanted FROM payments.payment, LATERAL (VALUES
        ('capture psp-receivable ' || amount_minor || ' ' || currency, state = 'captured'),
        ('capture order-sales ' || -amount_minor || ' ' || currency, state = 'captured'),
        ('refund order-sales ' || amount_minor || ' ' || currency, refunded_at IS NOT NULL),
        ('refund psp-receivable ' || -amount_minor || ' ' || currency, refunded_at IS NOT NULL)
    ) AS line (booking, is_due) WHERE payment.id = judged AND line.is_due;
    SELECT array_agg(line.booking ORDER BY line.booking) INTO found FROM (
        SELECT kind || ' ' || account || ' ' || amount_minor || ' ' || currency AS booking
        FROM ledger.transfer JOIN ledger.entry ON entry.transfer_id = transfer.id WHERE transfer.payment_id = judged
    ) AS line;
    IF found IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'payment % is booked as %, expected %', judged, found, wanted
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_booked_as_it_ended';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payment_booked AFTER INSERT OR UPDATE OF state, charge_id, refunded_at ON payments.payment
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NOT pg_has_role(current_user, 'ledger', 'USAGE'))
    EXECUTE FUNCTION ledger.refuse_other_bookings();
CREATE CONSTRAINT TRIGGER transfer_booked AFTER INSERT ON ledger.transfer
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NOT pg_has_role(current_user, 'ledger', 'USAGE'))
    EXECUTE FUNCTION ledger.refuse_other_bookings();
CREATE CONSTRAINT TRIGGER entry_booked AFTER INSERT ON ledger.entry
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NOT pg_has_role(current_user, 'ledger', 'USAGE'))
    EXECUTE FUNCTION ledger.refuse_other_bookings();
"""


def upgrade() -> None:
    """Narrow what the service may write; pods of the release before go on, which write nothing else."""
    for statements in (GRANTS, OUTCOMES, BOOKINGS):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

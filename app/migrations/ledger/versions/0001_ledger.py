"""The ledger's first schema: payment intents, and a double-entry ledger that the database itself keeps at zero.

Revision ID: 0001
"""

from app.migrations.environment import execute
from app.migrations.roles import create_role

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PAYMENTS = """
CREATE SCHEMA payments;
CREATE TABLE payments.payment (
    id uuid PRIMARY KEY,
    key text NOT NULL UNIQUE CHECK (length(key) BETWEEN 16 AND 255),
    fingerprint bytea NOT NULL,
    reference text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency char(3) NOT NULL,
    token text NOT NULL,
    state text NOT NULL CHECK (state IN ('created', 'unknown', 'captured', 'declined')),
    charge_id text UNIQUE,
    decline_reason text,
    attempts int NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'captured') = (charge_id IS NOT NULL))
);
CREATE INDEX payment_unsettled ON payments.payment (due_at) WHERE state IN ('created', 'unknown');
-- captured and declined are final, whoever writes.
CREATE FUNCTION payments.guard_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('captured', 'declined') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_state BEFORE UPDATE ON payments.payment
    FOR EACH ROW EXECUTE FUNCTION payments.guard_state();
"""

LEDGER = """
CREATE SCHEMA ledger;
CREATE TABLE ledger.account (
    name text PRIMARY KEY,
    purpose text NOT NULL
);
INSERT INTO ledger.account VALUES
    ('psp-receivable', 'money that the payment provider owes us'),
    ('order-sales', 'money that customers paid for orders');
CREATE TABLE ledger.transfer (
    id uuid PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payments.payment (id),
    kind text NOT NULL CHECK (kind IN ('capture')),
    booked_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (payment_id, kind)
);
CREATE TABLE ledger.entry (
    transfer_id uuid NOT NULL REFERENCES ledger.transfer (id),
    position int NOT NULL,
    account text NOT NULL REFERENCES ledger.account (name),
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),  -- debit above zero, credit below
    PRIMARY KEY (transfer_id, position)
);
-- Judged at COMMIT: each transfer has entries on two sides or more, and they sum to zero in each currency.
CREATE FUNCTION ledger.refuse_imbalance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked uuid;
    entries bigint;
    imbalance text;
BEGIN
    IF TG_TABLE_NAME = 'transfer' THEN checked = NEW.id; ELSE checked = NEW.transfer_id; END IF;
    SELECT count(*) INTO entries FROM ledger.entry WHERE transfer_id = checked;
    IF entries < 2 THEN
        RAISE EXCEPTION 'transfer % has % entries, expected two or more', checked, entries
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_sums_to_zero';
    END IF;
    SELECT string_agg(total || ' ' || currency, ', ') INTO imbalance FROM (
        SELECT currency, sum(amount_minor) AS total FROM ledger.entry
        WHERE transfer_id = checked GROUP BY currency HAVING sum(amount_minor) <> 0
    ) AS unbalanced;
    IF imbalance IS NOT NULL THEN
        RAISE EXCEPTION 'entries of transfer % sum to %, expected 0', checked, imbalance
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_sums_to_zero';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transfer_balanced AFTER INSERT ON ledger.transfer
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger.refuse_imbalance();
CREATE CONSTRAINT TRIGGER entry_balanced AFTER INSERT ON ledger.entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger.refuse_imbalance();
-- Append-only for the owner too: a mistake is corrected by a reversing transfer.
CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
"""

GRANTS = """
GRANT USAGE ON SCHEMA payments, ledger TO payments_app;
GRANT SELECT, INSERT, UPDATE (state, charge_id, decline_reason, attempts, due_at, changed_at)
    ON payments.payment TO payments_app;
GRANT SELECT ON ledger.account TO payments_app;
GRANT SELECT, INSERT ON ledger.transfer, ledger.entry TO payments_app;
"""


def upgrade() -> None:
    """Create everything that the first release of the payments service needs."""
    for statements in (create_role("payments_app", "ledger"), PAYMENTS, LEDGER, GRANTS):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

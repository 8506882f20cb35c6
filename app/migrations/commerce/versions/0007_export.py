"""What leaves the region: releases for headquarters with their cells, what they cost, and the facts that they count.

Nobody but the owner may use these tables yet: the exporter's login comes with its workload.

Revision ID: 0007
"""

from app.migrations.environment import execute
from app.migrations.released import append_only, cell_columns, release_columns, types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# One row: whoever makes a release locks it. What headquarters is known to have is beside.
RELEASES = f"""
CREATE TABLE export.numbering (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_seq bigint NOT NULL DEFAULT 0,
    confirmed_seq bigint NOT NULL DEFAULT 0,
    confirmed_at timestamptz,
    CHECK (confirmed_seq BETWEEN 0 AND last_seq)
);
INSERT INTO export.numbering DEFAULT VALUES;
CREATE TABLE export.release (
    {release_columns("export")},
    is_adopted boolean NOT NULL DEFAULT false,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seq),
    UNIQUE (kind, day, part)
);
COMMENT ON COLUMN export.release.is_adopted IS
    'It was sent, then lost with the last transactions of a site, and taken back from headquarters.';
CREATE TABLE export.cell (
    seq bigint NOT NULL REFERENCES export.release (seq),
    {cell_columns("export")},
    PRIMARY KEY (seq, place)
);
CREATE INDEX cell_money ON export.cell (day) WHERE table_name = 'money';
CREATE FUNCTION export.number_release() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE export.numbering SET last_seq = NEW.seq WHERE last_seq = NEW.seq - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'release % is not the next one', NEW.seq USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_release BEFORE INSERT ON export.release
    FOR EACH ROW EXECUTE FUNCTION export.number_release();
"""  # noqa: S608 our own columns

# A day is booked once, and a month stops at 1.55 whatever a program believes; in millionths of rho.
SPENDING = """
CREATE TABLE export.spending (
    day date PRIMARY KEY,
    seq bigint NOT NULL UNIQUE REFERENCES export.release (seq),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    rho_micro int NOT NULL CHECK (rho_micro > 0)
);
CREATE FUNCTION export.guard_budget() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    spent bigint;
BEGIN
    PERFORM FROM export.numbering FOR UPDATE;  -- two bookings of a month wait for each other
    SELECT coalesce(sum(rho_micro), 0) INTO spent FROM export.spending
    WHERE date_trunc('month', day) = date_trunc('month', NEW.day);
    IF spent + NEW.rho_micro > 1550000 THEN
        RAISE EXCEPTION 'the privacy budget of the month of % has % of 1550000 spent', NEW.day, spent
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_budget BEFORE INSERT ON export.spending FOR EACH ROW EXECUTE FUNCTION export.guard_budget();
"""

# What an order adds to a sum, written down once, so that neither its amount nor its category changes between two
# releases; seq is that of the release that counts it. Nobody is named: who ordered is looked up in the order.
FACTS = """
CREATE TABLE export.fact (
    order_id uuid NOT NULL,
    metric export.metric NOT NULL CHECK (metric IN ('orders', 'revenue', 'refunds')),
    category smallint NOT NULL,
    day date NOT NULL,
    currency export.currency NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    seq bigint REFERENCES export.release (seq),
    PRIMARY KEY (order_id, metric, category)
);
CREATE INDEX fact_waiting ON export.fact (day) WHERE seq IS NULL;
CREATE FUNCTION export.guard_fact() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.seq IS NOT NULL OR NEW.seq IS NULL OR
        (NEW.order_id, NEW.metric, NEW.category, NEW.day, NEW.currency, NEW.amount) IS DISTINCT FROM
        (OLD.order_id, OLD.metric, OLD.category, OLD.day, OLD.currency, OLD.amount) THEN
        RAISE EXCEPTION 'a fact changes once, when a release counts it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_fact BEFORE UPDATE ON export.fact FOR EACH ROW EXECUTE FUNCTION export.guard_fact();
CREATE TRIGGER never_less BEFORE DELETE OR TRUNCATE ON export.fact
    FOR EACH STATEMENT EXECUTE FUNCTION export.refuse_change();
"""


def upgrade() -> None:
    """Add a schema of its own; what runs already does not know it."""
    unchanging = (append_only("export", table) for table in ("release", "cell", "spending"))
    for statements in (types("export"), RELEASES, SPENDING, FACTS, *unchanging):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

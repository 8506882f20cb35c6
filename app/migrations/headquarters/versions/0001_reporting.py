"""What headquarters has of each region: its releases as they were signed, and their cells.

Revision ID: 0001
"""

from app.migrations.environment import execute
from app.migrations.released import append_only, cell_columns, release_columns, types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A region is a number here too; its name stands in the configuration of whoever shows it.
RELEASES = f"""
CREATE TABLE reporting.region (
    number smallint PRIMARY KEY CHECK (number BETWEEN 1 AND 99),
    last_seq bigint NOT NULL DEFAULT 0,
    session bytea CHECK (length(session) = 16),
    heard_at timestamptz
);
CREATE TABLE reporting.release (
    region smallint NOT NULL REFERENCES reporting.region (number),
    {release_columns("reporting")},
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (region, seq),
    UNIQUE (region, kind, day, part)
);
CREATE TABLE reporting.cell (
    region smallint NOT NULL,
    seq bigint NOT NULL,
    {cell_columns("reporting")},
    PRIMARY KEY (region, seq, place),
    FOREIGN KEY (region, seq) REFERENCES reporting.release (region, seq)
);
CREATE INDEX cell_day ON reporting.cell (day, table_name, region);
CREATE FUNCTION reporting.number_release() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reporting.region SET last_seq = NEW.seq WHERE number = NEW.region AND last_seq = NEW.seq - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'release % of region % is not the next one', NEW.seq, NEW.region
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_release BEFORE INSERT ON reporting.release
    FOR EACH ROW EXECUTE FUNCTION reporting.number_release();
"""  # noqa: S608 our own columns


def upgrade() -> None:
    """Create everything that headquarters' first release needs."""
    unchanging = (append_only("reporting", table) for table in ("release", "cell"))
    for statements in (types("reporting"), RELEASES, *unchanging):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

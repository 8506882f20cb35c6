"""Who takes releases and who shows figures get logins of their own, which own nothing.

The one adds what regions send, reads what it was sent, and says who was heard when; what was taken it cannot change.
The other reads figures and where they are from: no signature, no session, no body.

Revision ID: 0002
"""

from app.migrations.environment import execute
from app.migrations.roles import require_role

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The trigger of 0001 runs as whoever writes: it moves the number of the latest release.
GRANTS = """
GRANT SELECT ON public.alembic_version TO take_app;
GRANT USAGE ON SCHEMA reporting TO take_app, report_app;
GRANT SELECT, INSERT, UPDATE (last_seq, session, heard_at) ON reporting.region TO take_app;
GRANT SELECT, INSERT ON reporting.release TO take_app;
GRANT INSERT ON reporting.cell TO take_app;
GRANT SELECT (number, last_seq, heard_at) ON reporting.region TO report_app;
GRANT SELECT (region, seq, kind, day, part, parts, received_at) ON reporting.release TO report_app;
GRANT SELECT ON reporting.cell TO report_app;
"""


def upgrade() -> None:
    """Add rights; what runs already does not know them."""
    for statements in (require_role("take_app", "headquarters"), require_role("report_app", "headquarters"), GRANTS):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

"""What keeps accounts safe: back-off of sign-ins, retention of sessions.

Revision ID: 0002
"""

from app.migrations.environment import execute

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    execute("SELECT 1")


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

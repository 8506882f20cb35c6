"""The storefront's own login may read how far the schema has come: it has no other way to wait for a migration.

Revision ID: 0006
"""

from app.migrations.environment import execute

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the storefront's role read the schema's version."""
    execute("GRANT SELECT ON public.alembic_version TO shop_app")


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

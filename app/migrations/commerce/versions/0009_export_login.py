"""Who exports gets a login of its own: it reads orders and what they were of, and writes what leaves the region.

It changes no order, and of what was released it changes nothing (0007 refuses that to everybody). The names and streets
of an order are not for it; the account and the address are, since people are told apart by them (ADR 64).

Revision ID: 0009
"""

from app.migrations.environment import execute
from app.migrations.roles import require_role

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Triggers of 0007 run as whoever writes: they lock and move the numbering, and add up what was spent.
GRANTS = """
GRANT SELECT ON public.alembic_version TO export_app;
GRANT USAGE ON SCHEMA export, orders, catalogue TO export_app;
GRANT SELECT, UPDATE (last_seq, confirmed_seq, confirmed_at) ON export.numbering TO export_app;
GRANT SELECT, INSERT ON export.release, export.cell, export.spending TO export_app;
GRANT SELECT, INSERT, UPDATE (seq) ON export.fact TO export_app;
GRANT SELECT (id, placed_at, currency, state, lapse, customer_id, email) ON orders."order" TO export_app;
GRANT SELECT (order_id, sku, quantity, unit_minor) ON orders.line TO export_app;
GRANT SELECT (sku, product_id) ON catalogue.variant TO export_app;
GRANT SELECT (id, category) ON catalogue.product TO export_app;
"""


def upgrade() -> None:
    """Add rights; what runs already does not know them."""
    for statements in (require_role("export_app", "commerce"), GRANTS):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

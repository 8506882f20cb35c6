"""What is counted of clicks: by minute and product, what sessions looked at, and how far each log is counted.

Nothing here is keyed by a customer. A session is a number made of a tab's random one and the day. Who counts and who
recommends get roles of their own: neither reads a customer, and the recommender changes nothing.

Revision ID: 0008
"""

from app.migrations.environment import execute
from app.migrations.roles import require_role

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COUNTS = """
CREATE SCHEMA insight;
CREATE TYPE insight.kind AS ENUM ('view', 'list', 'search', 'add', 'remove', 'checkout', 'buy');
CREATE TYPE insight.sender AS ENUM ('person', 'crawler', 'program', 'unknown');
CREATE TABLE insight.minute_count (
    minute timestamptz NOT NULL,
    kind insight.kind NOT NULL,
    category text NOT NULL,
    sender insight.sender NOT NULL,
    events bigint NOT NULL CHECK (events > 0),
    PRIMARY KEY (minute, kind, category, sender)
);
COMMENT ON COLUMN insight.minute_count.category IS 'Of the catalogue; empty for none of it.';
CREATE TABLE insight.minute_product (
    minute timestamptz NOT NULL,
    product int NOT NULL,
    kind insight.kind NOT NULL,
    events bigint NOT NULL CHECK (events > 0),
    PRIMARY KEY (minute, product, kind)
);
COMMENT ON TABLE insight.minute_product IS 'Of persons only.';
"""

# Integers as an index of sessions takes them: key, product, seconds since 1970 of the last look.
SESSIONS = """
CREATE TABLE insight.session_look (
    session bigint NOT NULL CHECK (session >= 0),
    product int NOT NULL,
    at bigint NOT NULL CHECK (at >= 0),
    PRIMARY KEY (session, product)
);
CREATE INDEX session_look_at ON insight.session_look (at);
CREATE VIEW insight.trending AS
    SELECT product.category, look.product, count(*) AS visitors
    FROM insight.session_look look JOIN catalogue.product product ON product.id = look.product
    WHERE look.at >= extract(epoch FROM now())::bigint - 10800
    GROUP BY product.category, look.product;
COMMENT ON VIEW insight.trending IS 'How many sessions looked at a product, for the last time within three hours.';
"""

# Every record, batch and event comes to one of these, in the transaction that moves the offset over it.
BALANCE = """
CREATE TYPE insight.outcome AS ENUM ('counted', 'late', 'unknown', 'probe', 'duplicate', 'format', 'json', 'shape',
    'event', 'clock', 'missing', 'cut', 'given_up');
CREATE TABLE insight.balance (
    day date NOT NULL,
    outcome insight.outcome NOT NULL,
    records bigint NOT NULL DEFAULT 0 CHECK (records >= 0),
    batches bigint NOT NULL DEFAULT 0 CHECK (batches >= 0),
    events bigint NOT NULL DEFAULT 0 CHECK (events >= 0),
    PRIMARY KEY (day, outcome)
);
"""

# `log` is the topic's id: a topic that was made anew begins at 0 again, and is another log.
OFFSETS = """
CREATE TABLE insight.source_offset (
    site text NOT NULL,
    topic text NOT NULL,
    log text NOT NULL,
    partition int NOT NULL CHECK (partition >= 0),
    next bigint NOT NULL,
    marks_from bigint NOT NULL CHECK (marks_from BETWEEN 0 AND next),
    seen_end bigint NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site, topic, log, partition)
);
COMMENT ON COLUMN insight.source_offset.next IS 'The first record that is not counted.';
COMMENT ON COLUMN insight.source_offset.marks_from IS 'From here to next, records are read for their marks only.';
COMMENT ON COLUMN insight.source_offset.seen_end IS 'The log''s end when it was last looked at: what a lost site had.';
"""

GRANTS = """
GRANT SELECT ON public.alembic_version TO insight_app, recommend_app;
GRANT USAGE ON SCHEMA insight, catalogue TO insight_app;
GRANT SELECT (id, slug, category) ON catalogue.product TO insight_app;
GRANT SELECT (slug) ON catalogue.category TO insight_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON insight.minute_count, insight.minute_product, insight.session_look,
    insight.balance TO insight_app;
GRANT SELECT, INSERT, UPDATE ON insight.source_offset TO insight_app;
GRANT SELECT ON insight.trending TO insight_app;
GRANT USAGE ON SCHEMA insight, catalogue, inventory, orders TO recommend_app;
GRANT SELECT (session, product, at) ON insight.session_look TO recommend_app;
GRANT SELECT (id, category, on_sale) ON catalogue.product TO recommend_app;
GRANT SELECT (sku, product_id) ON catalogue.variant TO recommend_app;
GRANT SELECT (sku, free) ON inventory.stock TO recommend_app;
GRANT SELECT (id, session_id, customer_id, state, placed_at) ON orders."order" TO recommend_app;
GRANT SELECT (order_id, sku) ON orders.line TO recommend_app;
"""


def upgrade() -> None:
    """Add a schema of its own; what runs already does not know it."""
    roles = [require_role(role, "commerce") for role in ("insight_app", "recommend_app")]
    for statements in (*roles, COUNTS, SESSIONS, BALANCE, OFFSETS, GRANTS):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

"""The shop's first schema: catalogue, stock, customers, carts, orders, completed requests.

Revision ID: 0001
"""

from app.migrations.environment import execute
from app.migrations.roles import create_role

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CATALOGUE = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE SCHEMA catalogue;
CREATE TABLE catalogue.seed (
    fingerprint text PRIMARY KEY,
    seeded_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE catalogue.category (
    slug text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('apparel', 'electronics')),
    title text NOT NULL,
    tagline text NOT NULL,
    position int NOT NULL
);
CREATE TABLE catalogue.product (
    id int PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    category text NOT NULL REFERENCES catalogue.category (slug),
    name text NOT NULL,
    tagline text NOT NULL,
    description text NOT NULL,
    details jsonb NOT NULL,
    position int NOT NULL,
    featured boolean NOT NULL DEFAULT false,
    on_sale boolean NOT NULL DEFAULT true,
    document tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('english', name), 'A')
        || setweight(to_tsvector('english', tagline), 'B')
        || setweight(to_tsvector('english', description), 'C')
    ) STORED
);
CREATE INDEX product_document ON catalogue.product USING gin (document);
CREATE INDEX product_name_trigrams ON catalogue.product USING gin (lower(name) gin_trgm_ops);
CREATE INDEX product_listing ON catalogue.product (category, position) WHERE on_sale;
CREATE INDEX product_featured ON catalogue.product (position) WHERE on_sale AND featured;
CREATE TABLE catalogue.variant (
    sku text PRIMARY KEY,
    product_id int NOT NULL REFERENCES catalogue.product (id),
    colour text NOT NULL,
    size text NOT NULL,
    position int NOT NULL,
    UNIQUE (product_id, colour, size)
);
CREATE TABLE catalogue.price (
    product_id int NOT NULL REFERENCES catalogue.product (id),
    currency char(3) NOT NULL,
    size text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (product_id, currency, size)
);
CREATE SCHEMA inventory;
CREATE TABLE inventory.stock (
    sku text PRIMARY KEY REFERENCES catalogue.variant (sku),
    free int NOT NULL CHECK (free >= 0)
);
"""

CUSTOMERS = """
CREATE SCHEMA customers;
CREATE TABLE customers.customer (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX customer_email ON customers.customer (lower(email));
CREATE TABLE customers.session (
    id uuid PRIMARY KEY,
    customer_id uuid REFERENCES customers.customer (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE SCHEMA carts;
CREATE TABLE carts.line (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES customers.session (id),
    sku text NOT NULL REFERENCES catalogue.variant (sku),
    quantity int NOT NULL CHECK (quantity BETWEEN 1 AND 20),
    customisation jsonb NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (session_id, sku, customisation)
);
"""

ORDERS = """
CREATE SCHEMA orders;
CREATE TABLE orders.transition (
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO orders.transition VALUES
    ('pending_payment', 'paid'), ('pending_payment', 'declined'),
    ('paid', 'in_production'), ('in_production', 'dispatched'), ('dispatched', 'delivered');
CREATE TABLE orders."order" (
    id uuid PRIMARY KEY,
    number text NOT NULL UNIQUE,
    session_id uuid NOT NULL,
    customer_id uuid REFERENCES customers.customer (id),
    state text NOT NULL,
    currency char(3) NOT NULL,
    goods_minor bigint NOT NULL CHECK (goods_minor > 0),
    shipping_minor bigint NOT NULL CHECK (shipping_minor >= 0),
    payment_token text NOT NULL,
    payment_id text,
    email text NOT NULL,
    name text NOT NULL,
    street text NOT NULL,
    postcode text NOT NULL,
    city text NOT NULL,
    country text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_customer ON orders."order" (customer_id, placed_at DESC);
CREATE INDEX order_session ON orders."order" (session_id, placed_at DESC);
CREATE INDEX order_pending ON orders."order" (placed_at) WHERE state = 'pending_payment';
CREATE TABLE orders.line (
    order_id uuid NOT NULL REFERENCES orders."order" (id),
    position int NOT NULL,
    sku text NOT NULL REFERENCES catalogue.variant (sku),
    product_name text NOT NULL,
    quantity int NOT NULL CHECK (quantity > 0),
    unit_minor bigint NOT NULL CHECK (unit_minor > 0),
    customisation jsonb NOT NULL,
    PRIMARY KEY (order_id, position)
);
-- An order starts unpaid and moves only along orders.transition, whoever writes.
CREATE FUNCTION orders.guard_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending_payment' THEN
            RAISE EXCEPTION 'an order starts as pending_payment, not as %', NEW.state USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.state <> OLD.state THEN
        PERFORM FROM orders.transition WHERE from_state = OLD.state AND to_state = NEW.state;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'an order cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        NEW.changed_at = now();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_state BEFORE INSERT OR UPDATE ON orders."order"
    FOR EACH ROW EXECUTE FUNCTION orders.guard_state();
CREATE SCHEMA requests;
-- What a POST led to, by idempotency key; written in the transaction of its effects.
CREATE TABLE requests.completed (
    key text PRIMARY KEY CHECK (length(key) BETWEEN 16 AND 255),
    fingerprint bytea NOT NULL,
    session_before uuid,
    session_after uuid,
    location text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX completed_age ON requests.completed (created_at);
"""

GRANTS = """
GRANT USAGE ON SCHEMA catalogue, inventory, customers, carts, orders, requests TO shop_app;
GRANT SELECT ON ALL TABLES IN SCHEMA catalogue TO shop_app;
GRANT SELECT, UPDATE (free) ON inventory.stock TO shop_app;
GRANT SELECT, INSERT ON customers.customer TO shop_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON customers.session TO shop_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON carts.line TO shop_app;
GRANT SELECT, INSERT, UPDATE (state, payment_id, changed_at) ON orders."order" TO shop_app;
GRANT SELECT ON orders.transition TO shop_app;
GRANT SELECT, INSERT ON orders.line TO shop_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON requests.completed TO shop_app;
"""


def upgrade() -> None:
    """Create everything that the first release of the shop needs."""
    for statements in (create_role("shop_app", "commerce"), CATALOGUE, CUSTOMERS, ORDERS, GRANTS):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

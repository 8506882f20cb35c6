"""What keeps accounts safe and personal data short-lived: back-off of sign-ins, retention, export and erasure.

Revision ID: 0002
"""

from app.migrations.environment import execute

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# `account` is a keyed hash of an e-mail address, of a customer or not: the table names nobody.
SIGN_INS = """
CREATE TABLE customers.failed_sign_in (
    account bytea PRIMARY KEY CHECK (length(account) = 16),
    failures int NOT NULL,
    blocked_until timestamptz NOT NULL,
    failed_at timestamptz NOT NULL
);
CREATE INDEX failed_sign_in_age ON customers.failed_sign_in (failed_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON customers.failed_sign_in TO shop_app;
"""

RETENTION = """
CREATE INDEX session_expiry ON customers.session (expires_at);
CREATE INDEX session_customer ON customers.session (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX order_token ON orders."order" (changed_at) WHERE payment_token <> '';
GRANT UPDATE (payment_token) ON orders."order" TO shop_app;
"""

# The owner alone may ask these: a role of their own would need a superuser at every database that is there already.
PRIVACY = """
CREATE TABLE customers.erasure (
    customer_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT now(),
    orders int NOT NULL
);
COMMENT ON TABLE customers.erasure IS
    'Who was erased, by number only; after a backup was restored, these have to be erased again.';

CREATE FUNCTION customers.find_customer(address text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN (SELECT c.id FROM customers.customer c WHERE lower(c.email) = lower(address));

CREATE FUNCTION customers.export_customer(customer uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'account', to_jsonb(c) - 'password_hash',
            'sessions', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'created_at', s.created_at, 'expires_at', s.expires_at) ORDER BY s.created_at), '[]')
                FROM customers.session s WHERE s.customer_id = c.id),
            'cart', (SELECT coalesce(jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', l.quantity,
                'customisation', l.customisation, 'added_at', l.added_at) ORDER BY l.added_at), '[]')
                FROM carts.line l JOIN carts.cart k ON k.id = l.cart_id WHERE k.customer_id = c.id),
            'orders', (SELECT coalesce(jsonb_agg(to_jsonb(o) - 'payment_token' || jsonb_build_object('lines',
                (SELECT jsonb_agg(to_jsonb(l) - 'order_id' ORDER BY l.position)
                FROM orders.line l WHERE l.order_id = o.id)) ORDER BY o.placed_at), '[]')
                FROM orders."order" o WHERE o.customer_id = c.id)
        ) FROM customers.customer c WHERE c.id = customer
    );
END $$;

CREATE FUNCTION customers.erase_customer(customer uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    open_orders int;
    closed int;
BEGIN
    PERFORM FROM customers.customer c WHERE c.id = customer FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no customer %', customer USING ERRCODE = 'no_data_found';
    END IF;
    SELECT count(*) INTO open_orders FROM orders."order" o
    WHERE o.customer_id = customer AND o.state NOT IN ('delivered', 'declined');
    IF open_orders > 0 THEN
        RAISE EXCEPTION '% orders of this customer are not delivered yet', open_orders
            USING ERRCODE = 'object_in_use';
    END IF;
    -- What was sold for how much and to which country stays: the books need it. Whom it went to does not.
    UPDATE orders.line l SET customisation = l.customisation - 'Words' - 'Engraving'
    FROM orders."order" o WHERE o.id = l.order_id AND o.customer_id = customer;
    UPDATE orders."order" o SET customer_id = NULL, session_id = gen_random_uuid(), email = '', name = '',
        street = '', postcode = '', city = '', payment_token = '' WHERE o.customer_id = customer;
    GET DIAGNOSTICS closed = ROW_COUNT;
    DELETE FROM carts.cart k WHERE k.customer_id = customer;
    DELETE FROM requests.completed r USING customers.session s
    WHERE s.customer_id = customer AND s.id IN (r.session_before, r.session_after);
    DELETE FROM customers.session s WHERE s.customer_id = customer;
    DELETE FROM customers.customer c WHERE c.id = customer;
    INSERT INTO customers.erasure (customer_id, orders) VALUES (customer, closed);
    RETURN jsonb_build_object('customer', customer, 'orders_without_names', closed);
END $$;

REVOKE ALL ON FUNCTION customers.find_customer, customers.export_customer, customers.erase_customer FROM PUBLIC;
"""


def upgrade() -> None:
    """Add tables, indexes, and the functions that export and erase a customer."""
    for statements in (SIGN_INS, RETENTION, PRIVACY):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

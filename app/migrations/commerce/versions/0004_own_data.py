"""Customers take their data with them, or erase their account, by themselves; orders lose their person in time.

Revision ID: 0004
"""

from app.migrations.environment import execute

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ORDERS = """
ALTER TABLE orders."order" ADD COLUMN person_ends boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN orders."order".person_ends IS
    'Its customer was erased while it was under way: whom it goes to is removed as it ends.';
CREATE INDEX order_person ON orders."order" (placed_at) WHERE email <> '';

-- What was sold for how much and to which country stays: the books need it. Whom it went to does not.
CREATE FUNCTION orders.remove_person(ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    UPDATE orders.line l SET customisation = l.customisation - 'Words' - 'Engraving' WHERE l.order_id = ANY (ids);
    UPDATE orders."order" o SET customer_id = NULL, session_id = gen_random_uuid(), email = '', name = '',
        street = '', postcode = '', city = '', payment_token = '' WHERE o.id = ANY (ids);
END $$;

CREATE FUNCTION orders.end_person() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM orders.remove_person(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER end_person AFTER UPDATE OF state ON orders."order" FOR EACH ROW
    WHEN (NEW.person_ends AND NEW.state IN ('delivered', 'declined')) EXECUTE FUNCTION orders.end_person();

-- The storefront may ask for this one: it removes nothing that is younger than a year, whoever asks.
CREATE FUNCTION orders.remove_old_recipients(years int, most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    old uuid[];
BEGIN
    SELECT coalesce(array_agg(found.id), '{}') INTO old FROM (
        SELECT o.id FROM orders."order" o
        WHERE o.email <> '' AND o.state <> 'pending_payment'
            AND o.placed_at < date_trunc('year', now()) - make_interval(years => greatest(years, 1))
        ORDER BY o.placed_at LIMIT most FOR UPDATE SKIP LOCKED
    ) found;
    PERFORM orders.remove_person(old);
    RETURN cardinality(old);
END $$;
"""

EXPORT = """
CREATE OR REPLACE FUNCTION customers.export_customer(customer uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'account', to_jsonb(c) - 'password_hash',
            'addresses', (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.last_used_at DESC), '[]') FROM (
                SELECT o.name, o.email, o.street, o.postcode, o.city, o.country, max(o.placed_at) AS last_used_at
                FROM orders."order" o WHERE o.customer_id = c.id GROUP BY 1, 2, 3, 4, 5, 6) a),
            'sessions', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'created_at', s.created_at, 'expires_at', s.expires_at) ORDER BY s.created_at), '[]')
                FROM customers.session s WHERE s.customer_id = c.id),
            'cart', (SELECT coalesce(jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', l.quantity,
                'customisation', l.customisation, 'added_at', l.added_at) ORDER BY l.added_at), '[]')
                FROM carts.line l JOIN carts.cart k ON k.id = l.cart_id WHERE k.customer_id = c.id),
            'orders', (SELECT coalesce(jsonb_agg(
                to_jsonb(o) - ARRAY['payment_token', 'session_id', 'customer_id', 'settle_attempts', 'settle_due_at',
                    'settle_problem', 'person_ends']
                || jsonb_build_object('lines', (SELECT jsonb_agg(to_jsonb(l) - 'order_id' ORDER BY l.position)
                    FROM orders.line l WHERE l.order_id = o.id)) ORDER BY o.placed_at), '[]')
                FROM orders."order" o WHERE o.customer_id = c.id)
        ) FROM customers.customer c WHERE c.id = customer
    );
END $$;
"""

# Rows are locked in the order of a checkout: cart, customer. Results of forms stay until their own time is over: they
# hold numbers of sessions and keyed digests only, and the result of this form has to be found if it is sent again.
ERASURE = """
CREATE OR REPLACE FUNCTION customers.erase_customer(customer uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    ended uuid[];
    under_way uuid[];
BEGIN
    PERFORM FROM carts.cart k WHERE k.customer_id = customer FOR UPDATE;
    PERFORM FROM customers.customer c WHERE c.id = customer FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no customer %', customer USING ERRCODE = 'no_data_found';
    END IF;
    SELECT coalesce(array_agg(o.id) FILTER (WHERE o.state IN ('delivered', 'declined')), '{}'),
        coalesce(array_agg(o.id) FILTER (WHERE o.state NOT IN ('delivered', 'declined')), '{}')
    INTO ended, under_way
    FROM (SELECT id, state FROM orders."order" WHERE customer_id = customer ORDER BY id FOR UPDATE) o;
    PERFORM orders.remove_person(ended);
    -- What is under way keeps what it takes to be paid, made and delivered, and nothing that leads to an account.
    UPDATE orders."order" o SET customer_id = NULL, session_id = gen_random_uuid(), person_ends = true
    WHERE o.id = ANY (under_way);
    DELETE FROM carts.cart k WHERE k.customer_id = customer;
    DELETE FROM customers.session s WHERE s.customer_id = customer;
    DELETE FROM customers.customer c WHERE c.id = customer;
    INSERT INTO customers.erasure (customer_id, orders) VALUES (customer, cardinality(ended) + cardinality(under_way))
    ON CONFLICT (customer_id) DO UPDATE SET erased_at = now(), orders = excluded.orders;  -- after a restored backup
    RETURN jsonb_build_object('customer', customer, 'orders_without_names', cardinality(ended),
        'orders_under_way', cardinality(under_way));
END $$;
"""

# The storefront may ask these two, for a customer whose session goes on; for any customer, only the owner may.
OWN = """
CREATE FUNCTION customers.customer_of(session uuid) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT s.customer_id FROM customers.session s WHERE s.id = session AND s.expires_at > now());

CREATE FUNCTION customers.export_own(session uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN customers.export_customer(customers.customer_of(session));

CREATE FUNCTION customers.erase_own(session uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    customer uuid = customers.customer_of(session);
BEGIN
    IF customer IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN customers.erase_customer(customer);
EXCEPTION WHEN no_data_found THEN
    RETURN NULL;  -- another window was faster
END $$;
"""

GRANTS = """
REVOKE ALL ON FUNCTION orders.remove_person, orders.end_person, orders.remove_old_recipients, customers.customer_of,
    customers.export_own, customers.erase_own FROM PUBLIC;
GRANT EXECUTE ON FUNCTION orders.remove_old_recipients, customers.export_own, customers.erase_own TO shop_app;
"""


def upgrade() -> None:
    """Apply this revision."""
    for statements in (ORDERS, EXPORT, ERASURE, OWN, GRANTS):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

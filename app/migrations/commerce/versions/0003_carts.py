"""What makes a cart one customer's, and an order what was agreed to.

Revision ID: 0003
"""

from app.migrations.environment import execute

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# When a pending order is asked for next, and how often it was: each order has its own turn, so none blocks others.
SETTLING = """
ALTER TABLE orders."order"
    ADD COLUMN settle_attempts int NOT NULL DEFAULT 0,
    ADD COLUMN settle_due_at timestamptz NOT NULL DEFAULT now() + interval '8 seconds',
    ADD COLUMN settle_problem text;
CREATE INDEX order_settling ON orders."order" (settle_due_at) WHERE state = 'pending_payment';
GRANT UPDATE (settle_attempts, settle_due_at, settle_problem) ON orders."order" TO shop_app;
"""

# A cart is a guest's, known by session, or a customer's, who has one on all devices. Lines keep the session that wrote
# them, because pods of the release before read and write lines by session while they are being replaced; the trigger
# finds the cart for them. That column is no reference any more: sessions end sooner than the carts of customers.
CARTS = """
CREATE TABLE carts.cart (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id uuid UNIQUE,
    customer_id uuid UNIQUE REFERENCES customers.customer (id),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(session_id, customer_id) = 1)
);
CREATE INDEX cart_age ON carts.cart (changed_at);
ALTER TABLE carts.line
    DROP CONSTRAINT line_session_id_fkey,
    ADD COLUMN cart_id uuid REFERENCES carts.cart (id) ON DELETE CASCADE;
CREATE FUNCTION carts.cart_of(session uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    customer uuid;
    found uuid;
BEGIN
    SELECT s.customer_id INTO customer FROM customers.session s WHERE s.id = session;
    IF customer IS NULL THEN
        INSERT INTO carts.cart (session_id) VALUES (session)
        ON CONFLICT (session_id) DO UPDATE SET changed_at = now() RETURNING id INTO found;
    ELSE
        INSERT INTO carts.cart (customer_id) VALUES (customer)
        ON CONFLICT (customer_id) DO UPDATE SET changed_at = now() RETURNING id INTO found;
    END IF;
    RETURN found;
END $$;
COMMENT ON FUNCTION carts.cart_of IS
    'The cart of a session or its customer, made if there is none; it stays locked until the end of the transaction.';
"""

# The lines that are there: those that one customer has in several sessions become one cart.
EXISTING = """
UPDATE carts.line SET cart_id = carts.cart_of(session_id);
WITH alike AS (
    SELECT id, first_value(id) OVER kind AS keep, least(sum(quantity) OVER (kind ROWS BETWEEN UNBOUNDED PRECEDING
        AND UNBOUNDED FOLLOWING), 20)::int AS quantity
    FROM carts.line WINDOW kind AS (PARTITION BY cart_id, sku, customisation ORDER BY added_at, id)
), kept AS (
    UPDATE carts.line SET quantity = alike.quantity FROM alike WHERE line.id = alike.id AND alike.id = alike.keep
)
DELETE FROM carts.line USING alike WHERE line.id = alike.id AND alike.id <> alike.keep;
ALTER TABLE carts.line ALTER COLUMN cart_id SET NOT NULL, ADD UNIQUE (cart_id, sku, customisation);
CREATE FUNCTION carts.place_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR NEW.cart_id IS NULL THEN
        NEW.cart_id = carts.cart_of(NEW.session_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER place_line BEFORE INSERT OR UPDATE OF session_id ON carts.line
    FOR EACH ROW EXECUTE FUNCTION carts.place_line();
"""

# An order keeps the tax that its prices included, and follows its guest into an account.
ORDERS = """
ALTER TABLE orders."order" ADD COLUMN taxes jsonb;
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON carts.cart TO shop_app;
GRANT UPDATE (customer_id) ON orders."order" TO shop_app;
"""


def upgrade() -> None:
    """Apply this revision."""
    for statements in (SETTLING, CARTS, EXISTING, ORDERS, GRANTS):
        execute(statements)


def downgrade() -> None:
    """Refuse: migrations only expand."""
    raise NotImplementedError("migrations only expand; restore a backup instead")

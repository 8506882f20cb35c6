"""What a region and headquarters have alike of releases: their words, their cells, and that nothing of it changes.

Frozen with the first migrations that use it: a later word, column or check is a migration of its own in both trees, in
that of headquarters first.
"""

from __future__ import annotations

_TYPES = """
CREATE SCHEMA {schema};
CREATE TYPE {schema}.kind AS ENUM ('money', 'behaviour', 'correction');
CREATE TYPE {schema}.table_name AS ENUM ('money', 'visitors', 'hours', 'categories', 'products');
CREATE TYPE {schema}.audience AS ENUM ('people', 'automation');
CREATE TYPE {schema}.currency AS ENUM ('AED', 'AUD', 'BRL', 'CAD', 'CHF', 'CNY', 'CZK', 'DKK', 'EUR', 'GBP', 'HKD',
    'HUF', 'INR', 'JPY', 'KRW', 'MXN', 'NOK', 'NZD', 'PLN', 'SEK', 'SGD', 'USD', 'ZAR');
CREATE TYPE {schema}.metric AS ENUM ('orders', 'revenue', 'refunds', 'visit', 'search', 'list', 'view', 'add', 'remove',
    'checkout', 'buy');
CREATE TYPE {schema}.flag AS ENUM ('exact', 'delta', 'noisy', 'small');
"""
_RELEASE = """
    seq bigint NOT NULL CHECK (seq > 0),
    kind {schema}.kind NOT NULL,
    day date NOT NULL,
    part smallint NOT NULL,
    parts smallint NOT NULL CHECK (part BETWEEN 1 AND parts),
    body bytea NOT NULL CHECK (length(body) <= 262144),
    digest bytea NOT NULL CHECK (digest = sha256(body)),
    signer bytea NOT NULL CHECK (length(signer) = 8),
    signature bytea NOT NULL CHECK (length(signature) = 64)
"""
_CELL = """
    place smallint NOT NULL CHECK (place > 0),
    table_name {schema}.table_name NOT NULL,
    day date NOT NULL,
    hour smallint CHECK (hour BETWEEN 0 AND 23),
    audience {schema}.audience,
    currency {schema}.currency,
    category smallint CHECK (category BETWEEN 1 AND 999),
    product int CHECK (product BETWEEN 1 AND 99999),
    metric {schema}.metric NOT NULL,
    value bigint CHECK (value > 0),
    flag {schema}.flag NOT NULL,
    CONSTRAINT cell_is_of_its_table CHECK (CASE table_name
        WHEN 'money' THEN currency IS NOT NULL AND num_nonnulls(hour, audience, product) = 0
            AND metric IN ('orders', 'revenue', 'refunds') AND flag <> 'noisy'
        WHEN 'visitors' THEN audience IS NOT NULL AND num_nonnulls(hour, currency, category, product) = 0
            AND metric NOT IN ('orders', 'revenue', 'refunds') AND flag IN ('noisy', 'small')
        WHEN 'hours' THEN num_nonnulls(hour, audience) = 2 AND num_nonnulls(currency, category, product) = 0
            AND metric = 'visit' AND flag IN ('noisy', 'small')
        WHEN 'categories' THEN category IS NOT NULL AND num_nonnulls(hour, audience, currency, product) = 0
            AND metric IN ('view', 'add', 'buy') AND flag IN ('noisy', 'small')
        WHEN 'products' THEN product IS NOT NULL AND num_nonnulls(hour, audience, currency, category) = 0
            AND metric IN ('view', 'add', 'buy') AND flag IN ('noisy', 'small')
        ELSE false END),
    CONSTRAINT small_cell_has_no_value CHECK ((flag = 'small') = (value IS NULL)),
    CONSTRAINT noisy_cell_is_large CHECK (flag <> 'noisy' OR value >= 50)
"""
_REFUSE_CHANGE = """
CREATE FUNCTION {schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'what was released does not change: % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""
_APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.{table}
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
"""


def types(schema: str) -> str:
    """Return SQL that makes a schema with the words of releases, and the function that refuses changes."""
    return _TYPES.format(schema=schema) + _REFUSE_CHANGE.format(schema=schema)


def release_columns(schema: str) -> str:
    """Return the columns that say what a release is."""
    return _RELEASE.format(schema=schema)


def cell_columns(schema: str) -> str:
    """Return the columns of one row of a release."""
    return _CELL.format(schema=schema)


def append_only(schema: str, table: str) -> str:
    """Return SQL after which rows of a table stay as they are, for its owner too."""
    return _APPEND_ONLY.format(schema=schema, table=table)

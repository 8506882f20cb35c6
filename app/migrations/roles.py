"""The limited role that an application acts in, for both trees.

Migrations run as the database's owner; the application logs in as its limited role, which owns nothing and is a member
of nothing. Who makes the role, and who lets it log in, is the database's operator (components/postgres_spec.py): the
owner may create no role. Where nobody did, a migration makes it without a login.
"""

from __future__ import annotations


def create_role(role: str, owner_hint: str) -> str:
    """Return SQL that creates `role` and lets the current user act in it; an existing role is taken as it is."""
    return f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        BEGIN
            CREATE ROLE {role} NOLOGIN;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'role {role} is missing and % may not create it', current_user
                USING HINT = 'as superuser: ALTER ROLE {owner_hint} CREATEROLE (CNPG: bootstrap.initdb.postInitSQL)';
        END;
    END IF;
    IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
        EXECUTE format('GRANT {role} TO %I', current_user);
    END IF;
END $$;
"""


def where_present(role: str, grants: str) -> str:
    """Return SQL that gives a role its rights where the database's operator has made it, and is nothing elsewhere.

    A workload that comes later brings its role with it, and a migration that gives the same rights once more.
    """
    return f"""
DO $present$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        {grants}
    END IF;
END $present$;
"""

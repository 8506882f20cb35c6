"""The limited roles that applications act in, for both trees.

Migrations run as the database's owner; an application logs in as its limited role, which owns nothing and is a member
of nothing. Who makes the role, and who lets it log in, is the database's operator (components/postgres_spec.py): the
owner may create no role. Where nobody did, a migration makes it without a login.
"""

from __future__ import annotations


def create_role(role: str, owner_hint: str) -> str:
    """Return SQL that creates `role` and lets the current user act in it; an existing role is taken as it is."""
    return f"""
{require_role(role, owner_hint)}
DO $$
BEGIN
    IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
        EXECUTE format('GRANT {role} TO %I', current_user);
    END IF;
END $$;
"""


def require_role(role: str, owner_hint: str) -> str:
    """Return SQL that creates `role` where it is missing, and fails where the current user may not.

    An operator that was told of the role together with the migration may make it a moment later; the migration's Job
    tries again.
    """
    return f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        BEGIN
            CREATE ROLE {role} NOLOGIN;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'role {role} is missing and % may not create it', current_user
                USING HINT = 'CloudNativePG makes it (managed.roles); elsewhere as superuser: CREATE ROLE {role}, '
                    'or ALTER ROLE {owner_hint} CREATEROLE';
        END;
    END IF;
END $$;
"""

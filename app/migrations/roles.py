"""The limited role that an application acts in, for both trees.

The application logs in as the database's owner and gives up the owner's rights as it connects: `role` is a start-up
parameter of every connection. So no second password has to be made, kept and rotated; the price is that a process
under foreign control could take the owner's rights back (RESET ROLE). The limited roles are NOLOGIN: nobody can log in
as one of them.
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

"""Three trees of Alembic migrations, one per database; expand-only: old and new pods run against the same schema."""

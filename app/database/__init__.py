"""PostgreSQL as the shop uses it: a pool that follows role changes, and transactions with a known outcome."""

from app.database.pool import AT_A_DESK, Connection, Database, Queries

__all__ = ["AT_A_DESK", "Connection", "Database", "Queries"]

"""What a visitor is about to buy; the truth is in PostgreSQL."""

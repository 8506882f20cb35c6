"""A simulated payment provider, outside of every site: charges by idempotency key, settles by day, fails on demand."""

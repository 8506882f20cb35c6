"""SEC: what pods may be, and where their programs come from."""

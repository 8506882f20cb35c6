"""Rolling the key of the public zone: what its steps ask and do, and carrying them out."""

"""The global edge: one DNS zone that steers clients to regions, and a CDN for static assets."""

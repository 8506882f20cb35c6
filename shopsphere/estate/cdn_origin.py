"""Where a site answers the CDN: over TLS, and nobody who shows no certificate of the CDN's."""

from __future__ import annotations

ORIGIN_PORT = 8443
"""At the site's address. Of the ports besides 443 one that public CDNs fetch from."""

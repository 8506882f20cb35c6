"""Where a site says that its shop can be read: what the gateway answers and the steering of names asks."""

from __future__ import annotations

SERVING_PATH = "/serving"
"""At the gateway's plain entry: 200 while the shop behind it is ready, else 503. No request of it reaches the shop."""
SERVING_PORT = 80

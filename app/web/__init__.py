"""What all pages share: security, idempotent posting, rendering, health, errors."""

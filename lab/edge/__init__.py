"""Host `edge`: two DNS authorities, a resolver and a CDN, in place of an owner's Global DNS and CDN providers."""

"""Orders: from a cart to something paid, made and delivered."""

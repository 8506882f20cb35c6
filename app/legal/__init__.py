"""What the law wants a shop to say: who sells, what happens to data, terms, returns."""

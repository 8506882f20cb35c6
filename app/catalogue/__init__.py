"""Products, their variants and prices, and the pages that show them."""

"""The catalogue that every region starts with: the same products everywhere, drawn up without chance."""

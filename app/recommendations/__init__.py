"""What goes with the products that a visitor looks at, and whether showing it sells more."""

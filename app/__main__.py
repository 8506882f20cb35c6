"""`python -m app` is the `shop` command."""

from app.cli import main

main()

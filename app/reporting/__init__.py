"""Headquarters' pages: what the regions have released, shown to staff; `shop report`.

It reads, and changes nothing. reading.py asks the database, figures.py makes of the answers what a page or a file says,
charts.py has the arithmetic of the pictures. ADR 69 has what is counted and what is only marked.
"""

"""What leaves a region for headquarters: money under a disclosure rule, behaviour with noise, signed and numbered.

The one way out. Everything here that decides what may leave is a function of its arguments: schema, disclosure and
money, contributions and behaviour, budget, release and verifying. Tables are read and written in the files that end in
`_rows`; line.py speaks to headquarters. ADR 64 has the rule and its limits.
"""

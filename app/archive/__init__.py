"""The collector of a database's backups: WAL and base backups, encrypted, into the archive of the jurisdiction.

It runs in an image of its own, with Debian's Python, boto3, PostgreSQL's client programs and age, and with nothing of
the shop's libraries: only modules of `app` that need none may be imported here.
"""

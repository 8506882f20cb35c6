"""The policy pack: one rule per file, in a folder per family, found by `policies.registry`.

A rule's file is named after it (`res_003_placement_in_jurisdiction.py`) and defines `RULE`. To add one, add a file
there and its cases under tests/model/policy_cases/, then run `python -m policies.catalogue --write`.
"""

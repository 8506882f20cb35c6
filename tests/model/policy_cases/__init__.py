"""Cases of the policy pack: a module per rule, named as the rule's own, with GOOD, BAD, UNKNOWN and NOT_APPLICABLE."""

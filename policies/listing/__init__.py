"""What stacks may declare: resource types, the fields of each, and the reason for each of them.

A field that is not here is refused by RES-007, whatever it does: nobody has thought about where it lets data go. To
list one, add it with a reason that says why data stays where it is; tests compare the table with what stacks declare.
"""

"""The ground floor of the control repository: what runbooks, policies, components and the lab stand on.

Each folder imports only from those before it: foundation, topology, estate, clients, witness, names, status, deploy,
doctor.
"""

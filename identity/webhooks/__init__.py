"""Calls to addresses that others chose: none of them can be led to a machine on our side of the network.

Invariant: a connection is made only to an address that was looked up and checked here, for the name
whose certificate is then demanded. Nothing else in Onefold calls anybody.
"""

"""Everything that speaks SQL: rows and ciphertext go in, values of `identity.values.calls` come out.

The rule of the house: the store never sees a key or plain personal data, every statement names its
space, and no other package imports a driver. Submodules are imported by name; nothing is
re-exported here, so that the import contracts see each of them.
"""

"""All SQL: rows and ciphertext go in, values of `identity.values` come out.

The store never sees a key or plain personal data, every statement names its space, and no other package imports a
driver. Import modules by name: nothing is re-exported here, so the import contracts see each use.
"""

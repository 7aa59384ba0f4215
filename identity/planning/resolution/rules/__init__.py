"""The fields of a document of resolution rules: what each may hold, and what is wrong with another value."""

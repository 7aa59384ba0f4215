"""The native routes, one noun a module: parse, authorise, call one operation, render its value."""

"""The HTTP surface below the routes: front, ingest endpoint, bodies, authentication, errors, OpenAPI."""

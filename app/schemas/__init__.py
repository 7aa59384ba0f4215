"""The wire: one shape per request and answer. The shapes are the OpenAPI document and render the values of operations."""

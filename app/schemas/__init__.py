"""The wire: one shape a request or answer. Shapes are the OpenAPI document and render the values of operations."""

"""The driver's side of SQL: pool, pipeline, arrays, rows, schema, writer connections and slots."""

"""Leak scan: plant random values through a server, then search everything it wrote for them in clear."""

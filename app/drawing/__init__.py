"""Draws an evidence graph as SVG. The drawing reads values and never a database."""

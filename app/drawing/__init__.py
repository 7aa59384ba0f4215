"""app.drawing.graph_svg."""

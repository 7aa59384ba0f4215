"""identity.planning.graph.evidence_graph."""

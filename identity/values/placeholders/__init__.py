"""Values that stand for nobody: which identifiers and which group ids are placeholders."""

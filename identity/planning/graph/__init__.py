"""The evidence graph of a profile: its paths, its review for over-merges, its layout."""

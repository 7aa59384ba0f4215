"""SQL of profile reads: profiles, groups, events and snapshots."""

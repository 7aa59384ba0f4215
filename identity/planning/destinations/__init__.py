"""Plans what a destination sees: its policy, pages of the feed, retries, tables of a warehouse."""

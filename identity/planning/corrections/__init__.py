"""Plans what people correct: unmerge, removal of an identifier, replay and rebuild under other rules."""

"""The shapes of Segment, by API."""

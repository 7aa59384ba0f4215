"""Routes with the paths and shapes of Segment: Profile API, regulations, settings of SDKs."""

"""Erasing, suppressing and holding: what privacy teams do, whichever door a request came by."""

"""Privacy requests: erase, suppress, hold and export a person, whichever API the request came by."""

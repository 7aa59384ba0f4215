"""Identity resolution: from the body of a call to the plan that links, merges or demotes identifiers."""

"""Proof that stored data is consistent: verification of a space, leak scans, the list of rejections."""

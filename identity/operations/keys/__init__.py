"""The life of keys: rolling them so that what was destroyed is gone from backups too, and putting them back."""

"""Plans privacy work: request kinds, deadlines, statuses, receipts and the ledger entry of an erasure."""

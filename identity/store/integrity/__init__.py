"""SQL and files of verification: streams of rows to check, places to scan for clear text."""

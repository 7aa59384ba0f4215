"""SQL of privacy requests: requests, erasures, suppressions, holds, exports, and their return after a restore."""

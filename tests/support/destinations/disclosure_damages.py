"""Damages to what the service records about destinations, with the discrepancies that an audit finds."""

NOBODY = "'00000000-0000-7000-8000-000000000001'"
BEYOND = "set_byte(acked, length(acked) - 1, 200)"
DAMAGES = [
    (f"UPDATE change SET other = {NOBODY} WHERE op = 4 AND other IS NOT NULL", {"erasure_unknown"}),
    ("DELETE FROM erasure WHERE state = 2", {"erasure_unknown"}),
    (f"UPDATE delivery SET acked = {BEYOND} WHERE acked IS NOT NULL", {"place_beyond"}),
    ("UPDATE delivery SET pushed = 'nonsense'", {"place_beyond"}),
    ("DELETE FROM delivery WHERE acked IS NULL", {"delivery_missing"}),
    ("UPDATE delivery SET destination = 1000000 WHERE acked IS NULL", {"delivery_missing"}),
    ("UPDATE disclosure SET profile_id = gen_random_uuid()", {"disclosure_orphaned"}),
    ("UPDATE disclosure SET destination = destination + 1000000", {"disclosure_orphaned"}),
    # What is forgotten is the beginning, and only that.
    ("UPDATE lane_head SET base = seq WHERE seq > 0", {"lane_broken"}),
    ("UPDATE change SET version = version + 1 WHERE op = 1", {"version_untold"}),
]

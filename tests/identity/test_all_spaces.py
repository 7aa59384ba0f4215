"""Who reads the rows of all spaces at once is written down here with the reason, so that few do, and none by habit."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = ".of_all_spaces"

A_SPACE_IS_LOOKED_FOR = {
    "identity/operations/spaces/manage_spaces.py": "the key of a request names its space; the operator makes and lists",
    "identity/operations/destinations/acknowledge_changes.py": "the id of a destination names its space; old messages",
    "identity/operations/spaces/delete_space.py": "the operator names a space by its public id",
    "identity/spaces/choose_spaces.py": "an operator names spaces in a command, or means all",
}
BACKGROUND_WORK = {
    "identity/operations/spaces/run_jobs.py": "the next job of any space, and how many wait",
    "identity/operations/spaces/apply_retention.py": "old messages, rejections and jobs",
    "identity/operations/spaces/purge_spaces.py": "deleted spaces, whose rows go in steps",
    "identity/operations/destinations/feed_waker.py": "the feeds that requests of any space wait for",
    "identity/operations/destinations/push_changes.py": "the destinations that are due",
    "identity/operations/destinations/monitor_destinations.py": "the destinations that are behind",
    "identity/operations/destinations/consent_expiry.py": "the disclosures whose consent has expired, and old feeds",
    "identity/operations/privacy/deadline_monitor.py": "the open requests and their deadlines",
    "identity/operations/privacy/resume_requests.py": "the requests that were interrupted or are settled",
    "identity/operations/privacy/send_status_callbacks.py": "the status calls that are due",
    "identity/operations/privacy/access_exports/request_export.py": "the exports past their time",
    "identity/operations/keys/rotate_index_key.py": "the versions of index keys that may be unused",
    "identity/operations/keys/roll_epoch_keys.py": "the spaces whose keys are due for a roll",
    "identity/spaces/space.py": "the versions of index keys, and which spaces are deleted",
}
COMPARISONS = {
    "identity/operations/integrity/find_rolled_back.py": "the settings of every open space against its journal",
    "identity/operations/keys/find_unreadable_spaces.py": "the epochs of all spaces against the key store",
    "identity/spaces/key_store_comparison.py": "the rows of spaces against the folders of the key store",
    "identity/spaces/ledger_publication.py": "the deleted spaces, against their journals",
}
COMMANDS = {
    "app/commands/keys.py": "keys vouch",
    "identity/operations/spaces/open_spaces.py": "the first start after an upgrade gives API keys their MACs",
    "identity/operations/integrity/record_leak_scan.py": "verify --privacy lists the spaces",
    "identity/operations/keys/rotate_root_key.py": "keys rotate-root notes the change in every ledger",
    "identity/operations/backup/make_backup.py": "backup",
    "identity/operations/backup/restore_backup.py": "restore",
    "identity/operations/backup/repair_from_journal.py": "the check of every space at a start and after a restore",
}


def test_only_these_modules_read_all_spaces() -> None:
    """Everything else names one space, or gets no rows of any."""
    known = A_SPACE_IS_LOOKED_FOR | BACKGROUND_WORK | COMPARISONS | COMMANDS
    found = {
        str(path.relative_to(ROOT))
        for folder in ("app", "identity")
        for path in (ROOT / folder).rglob("*.py")
        if NAME in path.read_text()
    }

    assert found == known.keys()

"""The account that runs Postgres for root gets through closed folders, and nobody else does."""

import os
import pwd
import stat
from pathlib import Path

import pytest

from identity.store.embedded.run_as import UserAccount, account, may, open_way
from identity.values.errors import Misconfigured

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")


@pytest.fixture
def who(tmp_path: Path) -> UserAccount:
    """The account that runs a cluster which is not there yet."""
    found = account(tmp_path / "postgres")
    assert found
    return found


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder in a folder that only its owner may enter."""
    folder = tmp_path / "outer" / "inner"
    folder.mkdir(parents=True)
    for each in (folder, folder.parent):
        each.chmod(0o700)
    return folder


def test_a_closed_folder_is_opened_for_the_account_alone(closed: Path, who: UserAccount) -> None:
    """The account passes through and lists nothing; another account stays outside."""
    assert not may(who, "-x", closed)
    open_way(closed, who)

    nobody = pwd.getpwnam("nobody")
    other = UserAccount("nobody", nobody.pw_uid, nobody.pw_gid)
    assert (may(who, "-x", closed), may(who, "-r", closed), may(other, "-x", closed)) == (True, False, False)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (closed, closed.parent)] == [0o710, 0o710]


def test_a_folder_that_is_open_is_left_alone(closed: Path, who: UserAccount) -> None:
    """Neither its group nor its mode changes, and a second time changes nothing either."""
    open_way(closed, who)
    before = [(each.stat().st_gid, each.stat().st_mode) for each in (closed, *closed.parents)]
    open_way(closed, who)

    assert [(each.stat().st_gid, each.stat().st_mode) for each in (closed, *closed.parents)] == before


def test_the_rights_of_the_group_of_root_do_not_pass_to_the_account(closed: Path, who: UserAccount) -> None:
    """Some systems let the group of root list its home; the account passes through and no more."""
    closed.parent.chmod(0o550)
    open_way(closed, who)

    assert stat.S_IMODE(closed.parent.stat().st_mode) == 0o510


def test_a_folder_of_another_group_is_not_taken_from_it(closed: Path, who: UserAccount) -> None:
    """The error names the folder and what to do."""
    group = pwd.getpwnam("nobody").pw_gid
    os.chown(closed.parent, -1, group)
    closed.parent.chmod(0o750)
    with pytest.raises(Misconfigured, match=f"chmod o.x {closed.parent}"):
        open_way(closed, who)

    assert (closed.parent.stat().st_gid, stat.S_IMODE(closed.parent.stat().st_mode)) == (
        pwd.getpwnam("nobody").pw_gid,
        0o750,
    )

"""Replaces the root of a key store that is not in use, and the root key file.

Invariant: at every moment one root opens everything, namely the one that the label names. All keys are
wrapped under the new root beside those under the old one and are on disk before the label changes, in
one rename; only then are the old ones destroyed. The new root key file is whole and on disk before
anything is wrapped under it, and takes the name of the old one once the label names it. So a rotation
that died goes on with the old root, or is finished by the next start or the next rotation.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from identity.values.errors import KeyUnavailable, Misconfigured, SealBroken
from identity.vault import durable_files, epoch_key_store
from identity.vault.epoch_key_store import DUMP, LABEL, MARK, SIGNING, Label, read_label
from identity.vault.journal import HEAD, JOURNAL, VOUCHED
from identity.vault.keyring import DEPLOYMENT
from identity.vault.root_keys import Root, file_root

NEXT = "-next"
IN_USE = "The key store is in use. Stop every server and command that uses it, and run this command again."
_SPACE = 32
_NOT_OURS = (JOURNAL, HEAD, VOUCHED)


def next_file(path: Path) -> Path:
    """The file of the root key that replaces the one at `path`."""
    return path.with_name(path.name + NEXT)


@contextmanager
def exclusive_store(directory: Path) -> Iterator[Label]:
    """Holds a key store that is not in use, to the end of the block, and yields its label. Misconfigured."""
    try:
        with closing(durable_files.Hold(directory / LABEL, alone=True)), durable_files.exclusive(directory):
            yield read_label(directory)
    except BlockingIOError:
        raise Misconfigured(IN_USE) from None
    except FileNotFoundError:
        raise Misconfigured(epoch_key_store.MISSING) from None
    except OSError as error:
        raise Misconfigured(epoch_key_store.UNREADABLE) from error
    except msgspec.DecodeError:
        raise Misconfigured(epoch_key_store.DAMAGED) from None


def rewrap(directory: Path, label: Label, old: Root, new: Root) -> int:
    """Wraps every key under the new root and lets the label name that; how many keys there are.

    The store is held alone. What an earlier attempt left under another root is destroyed.
    """
    mark = MARK + new.id
    for path in _keys(directory):
        if not _marked(path, label.mark):
            durable_files.shred(path)
    wrapped = [path for path in _keys(directory) if _marked(path, label.mark)]
    for path in wrapped:
        name = path.name.removesuffix(label.mark)
        context = (DEPLOYMENT if path.parent == directory else bytes.fromhex(path.parent.name)) + name.encode()
        try:
            key = old.unwrap(context, path.read_bytes())
        except SealBroken:
            raise KeyUnavailable from None
        durable_files.replace(path.with_name(name + mark), [new.wrap(context, key)])
    former = [*label.former, label.root]
    _name(directory, msgspec.structs.replace(label, root=new.id, mark=mark, former=former, left=label.mark))
    return len(wrapped)


def clear(directory: Path, label: Label) -> None:
    """Destroys what is left under the root before this one. The store is held alone."""
    if label.left is None:
        return
    for path in list(_keys(directory)):
        if not _marked(path, label.mark):
            durable_files.shred(path)
    for folder in {directory, *_spaces(directory)}:
        durable_files.sync_directory(folder)
    _name(directory, msgspec.structs.replace(label, left=None))


def finish_rotation(root_file: Path | None, directory: Path) -> None:
    """Finishes a rotation that died after the label had changed: see `adopt_next_file` and `clear`."""
    with suppress(OSError, msgspec.DecodeError):
        label = read_label(directory)
        if label.left is None and (root_file is None or not next_file(root_file).exists()):
            return
        with suppress(Misconfigured), exclusive_store(directory) as label:
            if root_file is not None:
                adopt_next_file(root_file, label.root)
            clear(directory, label)


def adopt_next_file(path: Path, root_id: str) -> None:
    """Gives the next root key file the name of the one before it, where it holds the root that is in force."""
    ready = next_file(path)
    gone = path.with_name(durable_files.DOOMED + path.name)
    try:
        if ready.exists() and file_root(ready, create=False).id == root_id:
            if path.exists() and not gone.exists():
                gone.hardlink_to(path)
            ready.replace(path)
            durable_files.sync_directory(path.parent)
        if gone.exists() and not gone.samefile(path):
            durable_files.shred(gone)
    except OSError as error:
        raise Misconfigured(epoch_key_store.UNREADABLE) from error


def _keys(directory: Path) -> list[Path]:
    """Every wrapped key, under whichever root."""
    own = [path for path in directory.iterdir() if path.name.removeprefix(durable_files.UNFINISHED).startswith(SIGNING)]
    return own + [
        path
        for folder in _spaces(directory)
        for path in folder.iterdir()
        if path.name.removeprefix(durable_files.UNFINISHED) not in _NOT_OURS
        and not path.name.removeprefix(durable_files.UNFINISHED).startswith(DUMP)
    ]


def _spaces(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.is_dir() and len(path.name) == _SPACE]


def _marked(path: Path, mark: str) -> bool:
    """Whether a key is whole and under the root of this mark."""
    if path.name.startswith(durable_files.UNFINISHED):
        return False
    name, tilde, rest = path.name.partition(MARK)
    return bool(name) and tilde + rest == mark


def _name(directory: Path, label: Label) -> None:
    durable_files.replace(directory / LABEL, [msgspec.json.encode(label)])

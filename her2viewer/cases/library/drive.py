"""Whether a file lies on a drive of this machine or on one of the network."""

import ctypes
import sys
from pathlib import Path
from typing import Final

_REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "glusterfs", "lustre", "beegfs"})
_REMOTE_FUSE: Final = ("fuse.sshfs", "fuse.davfs", "fuse.gvfsd", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs")
_DRIVE_REMOTE: Final = 4
"""Of Windows' GetDriveType."""


def on_network(path: Path) -> bool:
    """True where the system says so; False where it cannot be told. The folder must be there."""
    folder = path.parent.resolve()
    if sys.platform == "win32":
        if folder.drive.startswith("\\\\"):
            return True
        return bool(ctypes.windll.kernel32.GetDriveTypeW(folder.anchor) == _DRIVE_REMOTE)
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return _kind_of(folder, mounts) in _REMOTE or _kind_of(folder, mounts).startswith(_REMOTE_FUSE)


def _kind_of(folder: Path, mounts: str) -> str:
    """The file system of the nearest mount above a folder, by the lines of /proc/self/mounts; the last of equals counts."""
    found, length = "", -1
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        place = Path(parts[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
        if folder.is_relative_to(place) and len(place.parts) >= length:
            found, length = parts[2], len(place.parts)
    return found

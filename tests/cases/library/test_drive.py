import sys
from pathlib import Path

import pytest

from her2viewer.cases.library.drive import _kind_of, on_network

MOUNTS = """/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sda2 /home/ada/local xfs rw 0 0
//server/share /mnt/my\\040share cifs rw 0 0
ada@host: /mnt/far fuse.sshfs rw 0 0
broken
"""


@pytest.mark.skipif(sys.platform == "win32", reason="asked otherwise there")
@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/home/ada", "nfs4"),
        ("/homes", "ext4"),
        ("/home/ada/local/x", "xfs"),
        ("/mnt/my share/x", "cifs"),
        ("/mnt/far", "fuse.sshfs"),
    ],
)
def test_the_nearest_mount_counts(folder: str, kind: str) -> None:
    assert _kind_of(Path(folder), MOUNTS) == kind


def test_a_folder_of_this_machine_is_none_of_the_network(tmp_path: Path) -> None:
    assert on_network(tmp_path / "library.db") is False

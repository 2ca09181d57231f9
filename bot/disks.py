"""On what kind of file system a folder lies, as far as the kernel tells."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

Nature = Literal["local", "network", "passing"]

NETWORK: Final = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "afs",
        "gpfs",
        "virtiofs",
        "davfs",
    }
)
"""Kinds whose locks or shared memory SQLite cannot rely on (https://sqlite.org/wal.html, "all processes … on the same host")."""
PASSING: Final = frozenset({"tmpfs", "ramfs", "overlay", "aufs"})
MOUNTS: Final = Path("/proc/self/mountinfo")


def kind_of_disk(folder: Path, mounts: Path = MOUNTS) -> tuple[str, Nature]:
    """Return the file system's kind (empty when it cannot be told, as outside Linux) and what follows from it."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "", "local"
    at, best, kind = folder.resolve(), -1, ""
    for line in lines:
        # "36 35 98:0 /root /mount/point rw shared:1 - ext4 /dev/sda1 rw" (proc_pid_mountinfo(5)); blanks are \040
        before, _, after = line.partition(" - ")
        words = before.split(" ")
        if len(words) < 5 or not after:
            continue
        point = Path(words[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
        if at.is_relative_to(point) and len(point.parts) >= best:  # of two mounts on one point the later one is on top
            best, kind = len(point.parts), after.split(" ", 1)[0]
    if kind in NETWORK or (kind.startswith("fuse.") and kind != "fuse.fuse-overlayfs"):
        return kind, "network"
    return kind, "passing" if kind in PASSING or kind == "fuse.fuse-overlayfs" else "local"

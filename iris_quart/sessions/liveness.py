"""Liveness of this machine's workers: each holds a lock that the kernel releases when the worker ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from .session import new_secret

__all__ = ["WorkerLock", "boot_id"]

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Read what names the run of this machine's kernel; empty where the system has no such name."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


class WorkerLock:
    """The lock file of one worker; `name` is `boot:secret` and is stored with what the worker claims."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._boot = boot_id()
        self._file: int | None = None
        self.name = f"{self._boot}:{new_secret()}"

    def hold(self) -> None:
        """Create and lock the file, and delete those of workers that have ended."""
        path = self._path(self.name)
        unlocked = path.with_suffix(".new")
        self._file = os.open(unlocked, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        # Under its name only when it is locked: an unlocked one is taken for a dead worker's.
        unlocked.rename(path)
        for other in self._folder.glob("worker-*.lock"):
            if other != path and not _is_locked(other):
                other.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Release the lock and delete the file."""
        if self._file is not None:
            self._path(self.name).unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def is_of_this_boot(self, name: str) -> bool:
        """Check whether a worker ran since this machine was started; False where that cannot be known."""
        return bool(self._boot) and name.startswith(f"{self._boot}:")

    def is_alive(self, name: str) -> bool:
        """Check whether a worker of this machine still runs."""
        return bool(name) and _is_locked(self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / f"worker-{name.rpartition(':')[2]}.lock"


def _is_locked(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
    return False

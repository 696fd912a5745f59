"""The instance's secrets, and the encryption of what the session store keeps.

`secret.key` in the instance folder is JSON, `{"current": "1", "keys": {"1": "<32 bytes, base64url>"}}`. To
change the key add a second one, make it current, and take the first away when its last session is over
(`session_absolute_seconds`). Several machines need the same file.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from iris_quart.config import BadSettings

__all__ = ["FILE_NAME", "Vault", "open_vault", "prepare_instance"]

FILE_NAME = "secret.key"
KEY_BYTES = 32
NONCE_BYTES = 12


class Vault:
    """Seals values under a secret that the browser holds and a key that the instance holds.

    Neither a stolen store nor a stolen store with `secret.key` opens a value: the session id (or ticket),
    256 random bits, is the input of the key derivation (HKDF-SHA256, RFC 5869), the instance's key its salt.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        if current not in keys:
            raise ValueError("the current key is not among the keys")
        for name, key in keys.items():
            if not (name.isascii() and name.isdigit() and 1 <= int(name) <= 255):
                raise ValueError("a key's name is a number from 1 to 255")
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {name} has {len(key)} bytes instead of {KEY_BYTES}")
        self._keys = {int(name): key for name, key in keys.items()}
        self._current = int(current)

    def seal(self, secret: str, associated: bytes, value: bytes) -> bytes:
        """Encrypt (AES-256-GCM): one byte key name, 12 bytes nonce, ciphertext with its tag.

        `associated` is bound to it: the value opens only beside the same bytes.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = AESGCM(self._derive(self._current, secret))
        return bytes([self._current]) + nonce + cipher.encrypt(nonce, value, associated)

    def open(self, secret: str, associated: bytes, sealed: bytes) -> bytes | None:
        """Decrypt; None when the key is gone, the secret is another or anything was changed."""
        if len(sealed) <= NONCE_BYTES or sealed[0] not in self._keys:
            return None
        cipher = AESGCM(self._derive(sealed[0], secret))
        try:
            return cipher.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], associated)
        except InvalidTag:
            return None

    def _derive(self, key: int, secret: str) -> bytes:
        hkdf = HKDF(SHA256(), KEY_BYTES, salt=self._keys[key], info=b"iris-quart session values")
        return hkdf.derive(secret.encode("utf-8", "surrogatepass"))

    def signing_keys(self, purpose: str) -> list[str]:
        """Derive signing keys for a purpose, hex; the current one first, older ones after it."""
        order = [self._current, *(name for name in self._keys if name != self._current)]
        return [self._purpose(name, f"sign {purpose}").hex() for name in order]

    def fingerprints(self) -> dict[str, str]:
        """Return a one-way mark of each key by name, to tell whether two machines have the same ones."""
        return {str(name): self._purpose(name, "fingerprint").hex()[:32] for name in self._keys}

    def _purpose(self, key: int, purpose: str) -> bytes:
        return hmac.new(self._keys[key], f"iris-quart {purpose}".encode(), hashlib.sha256).digest()


def prepare_instance(folder: Path) -> None:
    """Create the instance folder, for its owner alone. Raises BadSettings when that is impossible."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(f"instance: {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise BadSettings(f"instance: {folder} is not writable for this user")


def open_vault(folder: Path) -> Vault:
    """Read `secret.key`, made once on the first start and then the same for all workers.

    Raises BadSettings when it cannot be read, is damaged, or lets anyone but its owner read it.
    """
    prepare_instance(folder)
    path = folder / FILE_NAME
    if not path.exists():
        _make(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise BadSettings(f"{path}: cannot be read: {error.strerror}") from error
    with open(descriptor, "rb") as file:  # noqa: PTH123 - judged by its descriptor, so that nobody swaps it between
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadSettings(f"{path}: is not a regular file")
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise BadSettings(f"{path}: others may read it; chmod 600 it")
        text = file.read(65536)
    try:
        content = json.loads(text)
        keys = {str(name): base64.b64decode(key, b"-_", True) for name, key in content["keys"].items()}
        return Vault(keys, str(content["current"]))
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        # The cause may quote the file, and the file is secret.
        raise BadSettings(
            f"{path}: is damaged; restore it, or remove it, after which all users sign in again"
        ) from None


def _make(path: Path) -> None:
    key = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    text = json.dumps({"current": "1", "keys": {"1": key}}, indent=2) + "\n"
    # Written whole under another name first: a worker that starts beside this one never sees half a file.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    except OSError as error:
        raise BadSettings(f"{path}: cannot be written: {error.strerror}") from error

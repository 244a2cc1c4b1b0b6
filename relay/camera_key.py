"""Camera keys: what a camera adds to its stream's name, so that nobody else can publish under that name. Pure.

A key that the service makes depends on API_TOKEN and the stream's name alone. So a camera keeps
its key from match to match, and nothing has to be stored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import StrEnum
from functools import cached_property

from config import Settings

KEY_PATTERN = r"^[A-Za-z0-9._~-]{8,64}$"
MADE_CHARACTERS = 12
# Whoever sees a made key must not be able to find the API_TOKEN by trying: each try costs 16 MiB and 30 ms.
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}
_SALT = b"streaming overlay: camera keys"
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without characters that look alike
_KEY = re.compile(KEY_PATTERN, re.ASCII)


class Admission(StrEnum):
    """Whether a camera may publish under a name."""

    YES = "yes"
    WRONG_KEY = "wrong key"
    NO_STREAM = "no stream"  # none has the name
    NOT_YET = "not yet"  # a stream of this name begins, and nobody can tell its key at the moment


def is_key(text: object) -> bool:
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


def judge(camera_key: str | None, given: str) -> Admission:
    """Whether `given` opens a stream with this key. None: any camera may publish."""
    if camera_key is None or hmac.compare_digest(camera_key.encode(), given.encode(errors="replace")):
        return Admission.YES
    return Admission.WRONG_KEY


class CameraKeys:
    """Makes the keys of streams that are started without one. Safe to call from many threads."""

    def __init__(self, settings: Settings) -> None:
        self.are_required = settings.requires_camera_keys
        self._token = settings.api_token.get_secret_value()

    def of(self, name: str) -> str | None:
        """The key of a stream with this name, 12 characters long; None if cameras need no key."""
        if not self.are_required:
            return None
        number = int.from_bytes(hmac.digest(self._secret, name.encode(errors="replace"), "sha256"))
        characters = []
        for _ in range(MADE_CHARACTERS):
            number, index = divmod(number, len(_ALPHABET))
            characters.append(_ALPHABET[index])
        return "".join(characters)

    @cached_property
    def _secret(self) -> bytes:
        return hashlib.scrypt(self._token.encode(), salt=_SALT, dklen=32, **_SCRYPT)

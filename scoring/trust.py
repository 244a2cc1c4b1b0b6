"""Whose certificates are trusted when the match API or the image server is asked by https, and what is wrong with one.

The usual authorities, and with CA_FILE those in it too. Without CA_FILE, REQUESTS_CA_BUNDLE and SSL_CERT_FILE
name others in their place, as for other programs.
"""

from __future__ import annotations

import os
import ssl
import threading
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
# The verify codes of OpenSSL (x509_vfy.h) about which somebody can do something.
_REASONS = {
    9: "is not valid yet (is the clock right?)",
    10: "has expired",
    **dict.fromkeys((2, 18, 19, 20, 21), "is signed by nobody we know (set CA_FILE)"),
    **dict.fromkeys((62, 64), "is for another name"),
}
_WANTED = "must be a file with certificates in PEM form"


class Untrusted(OSError):
    """The certificates that are to be trusted cannot be read; the message says which and why."""


class Trust:
    """Read at the first use, and then kept. Any thread."""

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Raises Untrusted."""
        with self._lock:
            if self._context is None:
                self._context = self._read()
            return self._context

    def _read(self) -> ssl.SSLContext:
        context = create_urllib3_context()
        variable = next((name for name in _VARIABLES if os.environ.get(name)), None)
        if self._ca_file is None and variable is not None:
            _add(context, variable, Path(os.environ[variable]))
            return context
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        if self._ca_file is not None:
            _add(context, "CA_FILE", self._ca_file)
        return context


def check_certificates(path: Path) -> None:
    """Raises ValueError that says what is wrong with this file of certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
        is_one = context.cert_store_stats()["x509"] > 0
    except ssl.SSLError:
        is_one = False
    except OSError as error:
        raise ValueError(f"{_WANTED}; {path} cannot be read: {error.strerror}") from None
    if not is_one:
        raise ValueError(f"{_WANTED}; {path} is not one")


def certificate_fault(error: ssl.SSLCertVerificationError) -> str:
    """What is wrong with the certificate, to be said after "its certificate"."""
    return _REASONS.get(error.verify_code, f"is refused: {error.verify_message}")


def _add(context: ssl.SSLContext, name: str, path: Path) -> None:
    if path.is_dir():
        context.load_verify_locations(capath=path)
        return
    try:
        check_certificates(path)
    except ValueError as error:
        raise Untrusted(f"{name} {error}") from None
    context.load_verify_locations(path)

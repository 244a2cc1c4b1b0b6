"""Certificates for a test, made by the openssl command."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

_CONFIG = """
[req]
distinguished_name = none
prompt = no
[none]
CN = test
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
subjectAltName = {names}
authorityKeyIdentifier = keyid
"""
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """One that nobody has heard of; `file` is its own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.file = folder / "authority.pem"
        self._configure("DNS:none")
        self._openssl(
            *("req", "-x509", *_NEW_KEY, "-keyout", "authority.key", "-out", self.file.name, "-days", "2"),
            *("-config", "config", "-extensions", "authority"),
        )

    def server(self, names: str, days: int = 2) -> ssl.SSLContext:
        """What a server of these names (`DNS:...`, `IP:...`) speaks TLS with, valid for so many days from now."""
        self._configure(names)
        self._openssl("req", "-new", *_NEW_KEY, "-keyout", "server.key", "-out", "server.csr", "-config", "config")
        self._openssl(
            *("x509", "-req", "-in", "server.csr", "-out", "server.pem", "-days", str(days), "-CA", self.file.name),
            *("-CAkey", "authority.key", "-CAcreateserial", "-extfile", "config", "-extensions", "server"),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "server.pem", self._folder / "server.key")
        return context

    def _configure(self, names: str) -> None:
        (self._folder / "config").write_text(_CONFIG.format(names=names))

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self._folder, check=True, capture_output=True)

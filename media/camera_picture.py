"""What FFmpeg says of a camera's picture, and what follows from it for the filters. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TRACK = re.compile(
    r"Stream #0:\d+.*: Video: .*?, [a-z0-9]+(?:\((?P<details>.*?)\))?, (?P<width>\d+)x(?P<height>\d+)\b"
)
_MATRICES = {"bt709", "smpte170m", "bt470bg", "bt2020nc", "bt2020c", "smpte240m", "fcc", "gbr", "ycgco"}
_INTERLACED = {f"{field} first" for field in ("top", "bottom")} | {
    f"{field} coded first (swapped)" for field in ("top", "bottom")
}
HDR_TRANSFERS = {"arib-std-b67": "HLG", "smpte2084": "PQ"}


@dataclass(frozen=True)
class Treatment:
    """What a camera's picture needs: `is_sd` if it has the colours of SD without saying so."""

    is_sd: bool = False
    is_interlaced: bool = False


PLAIN = Treatment()


@dataclass(frozen=True)
class CameraPicture:
    """`matrix` and `transfer` are FFmpeg's names, None if the camera does not describe its colours."""

    width: int
    height: int
    matrix: str | None
    transfer: str | None
    is_interlaced: bool

    @property
    def treatment(self) -> Treatment:
        """Where colours are not described, players take those of HD from 1280 columns or 577 lines on."""
        is_hd = self.width >= 1280 or self.height > 576
        return Treatment(is_sd=self.matrix is None and not is_hd, is_interlaced=self.is_interlaced)

    @property
    def hdr(self) -> str | None:
        """HLG or PQ, which a stream in SDR shows pale."""
        return HDR_TRANSFERS.get(self.transfer or "")


def camera_picture(line: str) -> CameraPicture | None:
    """What this line of a compositor says of the camera's picture, if it is the one that lists its track."""
    match = _TRACK.search(line)
    if match is None:
        return None
    words = match["details"].split(", ") if match["details"] else []
    matrix = transfer = None
    for word in words:
        names = word.split("/")  # one if matrix, primaries and transfer are called alike
        if names[0] in _MATRICES or len(names) == 3:
            matrix, transfer = (name if name != "unknown" else None for name in (names[0], names[-1]))
    return CameraPicture(int(match["width"]), int(match["height"]), matrix, transfer, bool(_INTERLACED & {*words}))

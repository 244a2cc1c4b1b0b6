"""How many streams this machine carries, from its cores, the encoder and the profile.

What a stream costs was measured with a moving camera on 2 cores of a shared
virtual server; of three runs these are about the dearest. The last column is
carried on from those before it. `bench/capacity.py` measures anew, and how many
streams there really could be.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from media.encoders import X264, X264_PRESETS, Encoder
from media.profiles import OutputProfile

# The remainder is for the rest of the machine, and for the slate's encoder during a handover.
SHARE_FOR_STREAMS = 0.85
# A transcode from a file, to the same on air: waking up for each frame, sending, moving the bytes.
ON_AIR = 1.27
# Core-seconds of a transcode of a second, by profile: without encoding, which a
# card does; then by x264's presets from ultrafast on.
_TRANSCODE = {
    "480p30": (0.14, 0.19, 0.26, 0.32, 0.43, 0.55, 0.62, 0.95),
    "720p30": (0.16, 0.25, 0.39, 0.49, 0.69, 0.83, 1.00, 1.50),
    "720p60": (0.20, 0.34, 0.51, 0.73, 1.12, 1.40, 1.71, 2.60),
    "1080p30": (0.33, 0.62, 0.84, 1.12, 2.00, 2.23, 2.89, 4.40),
    "1080p60": (0.47, 0.95, 1.42, 2.02, 2.88, 3.36, 4.22, 6.40),
}
# At 25 and 50 frames a second at most as much as at 30 and 60.
_TRANSCODE |= {
    f"{size}p{rate}": _TRANSCODE[f"{size}p{more}"] for size in (720, 1080) for rate, more in ((25, 30), (50, 60))
}
COSTS = MappingProxyType({name: tuple(ON_AIR * cost for cost in costs) for name, costs in _TRANSCODE.items()})


@dataclass(frozen=True)
class Capacity:
    """`streams` that may run at once, and in words why; one that not even one stream fits `is_too_small`."""

    streams: int
    because: str
    is_too_small: bool = False


def cost(profile: OutputProfile, encoder: Encoder) -> float:
    """Core-seconds that a stream takes a second."""
    column = 1 + X264_PRESETS.index(encoder.preset) if encoder.name == X264 else 0
    return COSTS[profile.name][column]


def cpus_to_reserve(profile: OutputProfile, encoder: Encoder) -> float:
    """What a stream asks of a cluster that counts a node's cores whole: its cost, and its part of what stays free."""
    return round(cost(profile, encoder) / SHARE_FOR_STREAMS, 4)


def capacity(profile: OutputProfile, encoder: Encoder, cores: float) -> Capacity:
    """How many streams this number of cores carries. At least one, so that somebody may try."""
    most = int(SHARE_FOR_STREAMS * cores / cost(profile, encoder))
    how = f"{encoder.name} {encoder.preset}" if encoder.name == X264 else encoder.name
    count = f"{cores:g} core{'' if cores == 1 else 's'}"
    words = f"{count} carr{'ies' if cores == 1 else 'y'} {max(most, 1)} at {profile.name} with {how}"
    return Capacity(max(most, 1), f"{words} (MAX_CONCURRENT_STREAMS=auto)", is_too_small=most < 1)


def available_cores(cgroups: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> float:
    """Those that this process may use: its affinity, and what its container or unit is limited to."""
    cores = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    own = _own_group(membership)
    for folder in () if own is None else (cgroups / own, *(cgroups / own).parents):
        cores = min(cores, _quota(folder / "cpu.max"))
        if folder == cgroups:
            break
    return cores


def _own_group(membership: Path) -> str | None:
    """This process's control group, v2, as a path below their root."""
    with contextlib.suppress(OSError):
        lines = membership.read_text().splitlines()
        return next((line[4:] for line in lines if line.startswith("0::/")), None)
    return None


def _quota(path: Path) -> float:
    """Cores that a control group may use (Linux, control groups v2); endless without a limit."""
    try:
        quota, period = path.read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return float("inf")

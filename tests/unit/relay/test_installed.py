from __future__ import annotations

from pathlib import Path

import pytest

from errors import ConfigurationError
from relay import installed


def test_a_missing_ffmpeg_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FFMPEG_BIN: .*nowhere is not found"):
        installed.find_ffmpeg(str(tmp_path / "nowhere"))


def test_what_an_ffmpeg_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ffmpeg"
    path.write_text("#!/bin/sh\necho ' V..... libx264 x'\necho ' ..C overlay VV->V x'\n")
    path.chmod(0o755)
    with pytest.raises(ConfigurationError, match="lacks aac, scale, fps, pad, setparams"):
        installed.find_ffmpeg(str(path))


def test_the_installed_ffmpeg_is_asked_whether_it_takes_presets(tmp_path: Path) -> None:
    assert not installed.reads_presets(str(tmp_path / "nowhere"))
    deaf = tmp_path / "ffmpeg"
    deaf.write_text("#!/bin/sh\necho SHA256=0\n")
    deaf.chmod(0o755)
    assert not installed.reads_presets(str(deaf))


def test_an_ffmpeg_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ffmpeg"
    path.write_text("#!/bin/sh\nexec sleep 60\n")
    path.chmod(0o755)
    monkeypatch.setattr(installed, "CHECK_TIMEOUT_S", 0.2)
    with pytest.raises(ConfigurationError, match="does not answer -encoders"):
        installed.find_ffmpeg(str(path))

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from errors import ConfigurationError
from logging_setup import FFMPEG_LOGGER, StreamLogger, redact, set_up_logging


@pytest.fixture(autouse=True)
def _restore_loggers() -> Iterator[None]:
    loggers = [logging.getLogger(), logging.getLogger(FFMPEG_LOGGER)]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers = []
    yield
    for logger, handlers, level, propagate in before:
        for handler in logger.handlers:
            handler.close()
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_lines_name_their_stream_and_go_to_their_file(tmp_path: Path) -> None:
    set_up_logging(tmp_path / "logs", "INFO")
    StreamLogger(logging.getLogger("streams"), "match-7").info("started")
    StreamLogger(logging.getLogger(FFMPEG_LOGGER), "match-7").info("compositor 1: frame")
    logging.getLogger("app").info("listening")
    application = (tmp_path / "logs" / "application.log").read_text()
    assert "[match-7] streams: started" in application
    assert "[-] app: listening" in application
    assert "compositor" not in application
    assert "[match-7] ffmpeg.output: compositor 1: frame" in (tmp_path / "logs" / "ffmpeg.log").read_text()


def test_ffmpegs_output_is_kept_at_any_log_level(tmp_path: Path) -> None:
    set_up_logging(tmp_path, "ERROR")
    logging.getLogger(FFMPEG_LOGGER).info("a line")
    assert "a line" in (tmp_path / "ffmpeg.log").read_text()


def test_keys_are_masked_in_messages_arguments_and_tracebacks(tmp_path: Path) -> None:
    set_up_logging(tmp_path, "INFO")
    redact.add(["canary-1234"])
    try:
        log = logging.getLogger("streams")
        log.info("pushing to %s", "rtmp://a.rtmp.youtube.com/live2/another-canary?x=1 now")
        log.info("playpath canary-1234, rtmps://h/app/canary-1234")
        try:
            raise ValueError("canary-1234")
        except ValueError:
            log.exception("failed")
    finally:
        redact.remove(["canary-1234"])
    text = (tmp_path / "application.log").read_text()
    assert "canary" not in text
    assert "rtmp://a.rtmp.youtube.com/live2/**** now" in text
    assert "ValueError: ****" in text


def test_a_key_of_two_streams_stays_masked_until_both_are_gone() -> None:
    redact.add(["shared-key"])
    redact.add(["shared-key"])
    redact.remove(["shared-key"])
    assert redact("shared-key") == "****"
    redact.remove(["shared-key"])
    assert redact("shared-key") == "shared-key"


def test_a_key_that_is_the_beginning_of_another_does_not_reveal_the_rest() -> None:
    redact.add(["abcd"])
    redact.add(["abcd-efgh"])
    assert redact("key abcd-efgh") == "key ****"
    redact.remove(["abcd", "abcd-efgh"])


def test_a_line_cannot_be_forged(tmp_path: Path) -> None:
    set_up_logging(tmp_path, "INFO")
    logging.getLogger("x").info("title\r\x1b[31m\x07")
    assert "title??[31m?" in (tmp_path / "application.log").read_text()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="LOG_DIR: cannot write to"):
        set_up_logging(tmp_path / "file", "INFO")


def test_files_rotate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging_setup.MAX_FILE_BYTES", 500)
    set_up_logging(tmp_path, "INFO")
    for number in range(60):
        logging.getLogger("x").info("line %d", number)
    assert len(list(tmp_path.glob("application.log*"))) == 6

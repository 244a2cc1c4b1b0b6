"""Fixtures of the drills: two nginx-rtmp, connections that can fail, the service, a watcher, rows of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.rtmp_server import RtmpServer, free_port
from tests.drills.clock_picture import RECORDED_S, write_recording
from tests.drills.drill import LIVE, Drill
from tests.drills.report import DrillReport, Row
from tests.drills.youtube import APPLICATION, YouTube
from tests.integration.conftest import recordings, service
from tests.service import FFMPEG, ROOT, MakeService, Rtmp

__all__ = ["recordings", "service"]

_REPORT = pytest.StashKey[DrillReport]()
_ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--drills-report", help="write the drills' table to this file, from the project's folder")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORT] = DrillReport()


def pytest_sessionfinish(session: pytest.Session) -> None:
    path, report = session.config.getoption("--drills-report", default=None), session.config.stash[_REPORT]
    if path and report.rows:
        report.write(ROOT / path, FFMPEG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        for row in item.stash.get(_ROWS, []):
            row.failure = row.failure or call.excinfo.exconly().splitlines()[0]
    return outcome


@dataclass(frozen=True)
class Ways(Rtmp):
    """URLs of the cameras' server, and of `youtube` by the connection that can fail."""

    tube: YouTube

    def url(self, application: str, name: str) -> str:
        return self.tube.url(name) if application == APPLICATION else super().url(application, name)


@pytest.fixture(scope="session")
def youtube_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YouTube]:
    server = YouTube(tmp_path_factory.mktemp("youtube"))
    yield server
    server.close()


@pytest.fixture
def youtube(youtube_server: YouTube) -> Iterator[YouTube]:
    youtube_server.reset()
    yield youtube_server
    youtube_server.reset()


@pytest.fixture(scope="session")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtmpServer]:
    server = RtmpServer(tmp_path_factory.mktemp("ingest"), "127.0.0.1", free_port(), [LIVE])
    yield server
    server.close()


@pytest.fixture
def rtmp(ingest: RtmpServer, youtube: YouTube) -> Rtmp:
    return Ways(ingest, youtube)


@pytest.fixture(scope="session")
def clock_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clock") / "clock.flv"
    write_recording(FFMPEG, path, RECORDED_S)
    return path


@pytest.fixture
def add_row(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Takes a row of the report."""
    rows: list[Row] = []
    request.node.stash[_ROWS] = rows
    report: DrillReport = request.config.stash[_REPORT]

    def add(row: Row) -> None:
        rows.append(row)
        report.rows.append(row)

    return add


@pytest.fixture
def drill(
    add_row: Callable[[Row], None],
    rtmp: Rtmp,
    youtube: YouTube,
    service: MakeService,
    clock_recording: Path,
    tmp_path: Path,
) -> Iterator[Drill]:
    """One drill. Whatever happens in it, everything that it started is ended afterwards."""
    one = Drill(rtmp, youtube, service, clock_recording, tmp_path, add_row)
    yield one
    one.close()

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.match_feed import Answer, MatchFeed
from errors import ConfigurationError
from scoring.match_api import Connections, MatchApi
from tests.certificates import Authority
from tests.conftest import SettingsFactory
from tests.unit.scoring.conftest import PATH, RawServer, fault_of

HERE = "IP:127.0.0.1,DNS:localhost"
MakeFeed = Callable[..., MatchFeed]
MakeApi = Callable[..., MatchApi]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates") / "authority")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secure_feed(authority: Authority) -> Iterator[MakeFeed]:
    made: list[MatchFeed] = []

    def make(names: str = HERE, days: int = 2) -> MatchFeed:
        made.append(MatchFeed(authority.server(names, days)))
        made[-1].data = Answer.of({"a": 1})
        return made[-1]

    yield make
    for feed in made:
        feed.close()


@pytest.fixture
def api_of(cancelled: threading.Event) -> Iterator[MakeApi]:
    made: list[MatchApi] = []

    def make(url: str, ca_file: Path | None = None) -> MatchApi:
        made.append(MatchApi(url, url, PATH, cancelled, Connections(ca_file)))
        return made[-1]

    yield make
    for api in made:
        api.close()


def test_a_private_authority_is_trusted_when_ca_file_names_it(
    secure_feed: MakeFeed, api_of: MakeApi, authority: Authority
) -> None:
    feed = secure_feed()
    api = api_of(feed.url, authority.file)
    assert api.match_data("m") == {"a": 1}
    assert api.match_data("m") is None
    assert feed.accepted == 1, "kept connections are kept by https too"
    api.start_monitoring("m", "0")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_usual_variables_name_authorities_too(
    secure_feed: MakeFeed, api_of: MakeApi, authority: Authority, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(authority.file))
    assert api_of(secure_feed().url).match_data("m") == {"a": 1}


def test_ca_file_wins_over_the_variables_and_one_variable_over_the_other(
    secure_feed: MakeFeed, api_of: MakeApi, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    feed, other = secure_feed(), Authority(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.file))
    assert fault_of(lambda: api_of(feed.url).match_data("m")).kind == "certificate"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "nowhere.pem")
    assert api_of(feed.url, authority.file).match_data("m") == {"a": 1}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    assert fault_of(lambda: api_of(feed.url, other.file).match_data("m")).kind == "certificate"


@pytest.mark.parametrize(
    ("names", "days", "host", "why"),
    [
        (HERE, -1, "127.0.0.1", "its certificate has expired"),
        ("DNS:club.example", 2, "127.0.0.1", "its certificate is for another name"),
        ("DNS:club.example", 2, "localhost", "its certificate is for another name"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(
    secure_feed: MakeFeed, api_of: MakeApi, authority: Authority, names: str, days: int, host: str, why: str
) -> None:
    feed = secure_feed(names, days)
    url = feed.url.replace("127.0.0.1", host)
    api = api_of(url.replace("https://", "https://canary:canary@"), authority.file)
    for ask in (lambda: api.match_data("m"), lambda: api.start_monitoring("m", "0")):
        fault = fault_of(ask)
        assert (fault.kind, str(fault)) == ("certificate", f"{url} is not trusted: {why}")
    assert feed.calls == []


def test_an_authority_that_nobody_knows_is_said_with_the_setting(secure_feed: MakeFeed, api_of: MakeApi) -> None:
    feed = secure_feed()
    fault = fault_of(lambda: api_of(feed.url).match_data("m"))
    assert fault.kind == "certificate"
    assert str(fault) == f"{feed.url} is not trusted: its certificate is signed by nobody we know (set CA_FILE)"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_variable_that_names_no_certificates_matters_to_https_alone(
    feed: MatchFeed, api_of: MakeApi, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "nowhere.pem")
    feed.data = Answer.of({"a": 1})
    assert api_of(feed.url).match_data("m") == {"a": 1}
    fault = fault_of(lambda: api_of("https://club.example").match_data("m"))
    assert (fault.kind, str(fault)) == (
        "certificate",
        f"https://club.example is not trusted: {variable} must be a file with certificates in PEM form; "
        "nowhere.pem cannot be read: No such file or directory",
    )


def test_a_variable_may_name_a_folder_as_openssl_wants_it(
    secure_feed: MakeFeed, api_of: MakeApi, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    feed = secure_feed()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert fault_of(lambda: api_of(feed.url).match_data("m")).kind == "certificate", "there is nothing in it"
    shutil.copy(authority.file, tmp_path)
    subprocess.run(["openssl", "rehash", tmp_path], check=True)
    assert api_of(feed.url).match_data("m") == {"a": 1}


def test_a_server_without_tls_is_no_question_of_certificates(api_of: MakeApi, cancelled: threading.Event) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65_536)
                peer.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        fault = fault_of(lambda: api_of(f"https://{place}").match_data("m"))
        thread.join(10)
    said = f"no secure connection to the match API at {place}: does it speak https?"
    assert (fault.kind, str(fault)) == ("unreachable", said)


def test_a_handshake_without_an_end_is_late(api_of: MakeApi) -> None:
    server = RawServer(b"")
    fault = fault_of(lambda: api_of(server.url.replace("http", "https")).match_data("m", limit_s=0.3))
    assert (fault.kind, str(fault)) == ("timeout", "the match API has not answered within 0.3 s")
    server.close()


def test_the_setting_is_a_file_with_certificates(
    settings_with: SettingsFactory, authority: Authority, tmp_path: Path
) -> None:
    good = authority.file.read_text()
    (tmp_path / "two.pem").write_text(f"the club's own\n{good}{good}")
    for path in (authority.file, Path("two.pem")):
        assert settings_with(ca_file=str(path)).ca_file == path
    assert settings_with(ca_file="").ca_file is None
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    for name, text in (("empty", ""), ("text", "hello"), ("broken", broken), ("half", good + broken)):
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigurationError, match=f"CA_FILE: must be a file with certificates in PEM form; {name} "):
            settings_with(ca_file=name)
    for name, why in (("nowhere", "No such file or directory"), (".", "Is a directory")):
        with pytest.raises(ConfigurationError, match=f"CA_FILE: must be .*; {name} cannot be read: {why}"):
            settings_with(ca_file=name)

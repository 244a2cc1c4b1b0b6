from __future__ import annotations

import pytest

from errors import InvalidField
from media.camera_url import CAMERA_FAULTS, camera_fault, parse_camera_url

HOSTS = ("cam.local", "10.0.0.*", "::1")


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("rtsp://cam.local/pavilion", set()),
        ("rtsp://10.0.0.7:8554/Streaming/Channels/101?transportmode=unicast", {"unicast"}),
        ("rtsps://club:canary@cam.local:322/a", {"club:canary", "canary"}),
        ("rtmp://cam.local/live/m1", set()),
        ("rtmps://[::1]/live/m1", set()),
        ("srt://10.0.0.7:9000?mode=caller&passphrase=canary-canary&latency=120", {"caller", "canary-canary"}),
    ],
)
def test_an_admitted_address_is_taken_as_it_is_and_shown_nowhere(url: str, secrets: set[str]) -> None:
    camera = parse_camera_url(url, HOSTS)
    assert camera.url == url
    assert camera.is_pulled
    assert {url} | secrets <= {*camera.secrets}
    for shown in (str(camera), repr(camera)):
        assert "canary" not in shown
        assert "pavilion" not in shown


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (7, "must be a string"),
        ("rtsp://" + "x" * 1000, "at most"),
        ("http://cam.local/x", "must be rtsp://"),
        ("file:///etc/passwd", "must be rtsp://"),
        ("concat:a|b", "must be rtsp://"),
        ("RTSP://cam.local/x", "must be rtsp://"),
        ("-rtsp://cam.local/x", "must be rtsp://"),
        ("rtsp://cam.local:0/x", "must be rtsp://"),
        ("rtsp://cam.local:99999/x", "must be rtsp://"),
        ("rtsp://cam.local[::1]/x", "must be rtsp://"),
        ("rtsp://cam.local:1[::1]/x", "must be rtsp://"),
        ("rtsp://a@b@cam.local/x", "must be rtsp://"),
        ("rtsp://cam.local/x y", "must be rtsp://"),
        ("rtsp://cam.local/x\n", "must be rtsp://"),
        ("rtsp://cam.local/x#y", "must be rtsp://"),
        ("rtsp://evil.example/x", "does not admit"),
        ("rtsp://cam.local@evil.example/x", "does not admit"),
        ("rtmp://cam.local", "application"),
        ("srt://10.0.0.7", "HOST:PORT"),
        ("srt://10.0.0.7:9000/path", "HOST:PORT"),
        ("srt://10.0.0.7:9000?mode=rendezvous", "takes only"),
        ("srt://10.0.0.7:9000?tlpktdrop=0", "takes only"),
        ("srt://10.0.0.7:9000?passphrase=short", "takes only"),
    ],
)
def test_what_is_not_accepted_is_named_without_the_address(url: object, words: str) -> None:
    with pytest.raises(InvalidField, match="^camera_url ") as caught:
        parse_camera_url(url, HOSTS)
    assert words in str(caught.value)
    assert "evil" not in str(caught.value)


def test_without_admitted_hosts_it_is_off() -> None:
    with pytest.raises(InvalidField, match="is switched off"):
        parse_camera_url("rtsp://cam.local/x", ())


@pytest.mark.parametrize(
    ("cause", "fault"),
    [
        ("exit status 1: method DESCRIBE failed: 401 Unauthorized", CAMERA_FAULTS[0][1]),
        ("exit status 1: Server returned 404 Not Found", CAMERA_FAULTS[1][1]),
        ("exit status 1: Connection to tcp://10.0.0.7:554 failed: Connection refused", CAMERA_FAULTS[2][1]),
        ("killed by SIGKILL", None),
    ],
)
def test_the_end_of_a_compositor_says_what_is_wrong_with_the_camera(cause: str, fault: str | None) -> None:
    assert camera_fault(cause) == fault


def test_rtsp_comes_by_tcp_and_leads_nowhere_else() -> None:
    options = parse_camera_url("rtsp://cam.local/x", HOSTS).input_options
    assert options[:2] == ("-rtsp_transport", "tcp")
    assert options[-2:] == ("-protocol_whitelist", "tcp,tls,rtp,srtp")

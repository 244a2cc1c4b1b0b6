from __future__ import annotations

from app import create_app
from tests.conftest import SettingsFactory

TOKEN = "canary-token-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_every_answer_carries_the_security_headers(settings_with: SettingsFactory) -> None:
    client = create_app(settings_with(api_token=TOKEN)).test_client()
    answers = [
        client.get("/login"),
        client.get("/list_streams", headers=BEARER),
        client.get("/list_streams"),
        client.get("/nowhere", headers=BEARER),
        client.put("/list_streams", headers=BEARER),
        client.post("/start_stream", headers=BEARER, data=b"x" * 70_000),
        client.post("/hooks/publish_done"),
        client.post("/login", headers={"Origin": "null"}),
        client.get("/static/nothing.css"),
        client.options("/login"),
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
    assert [answer.status_code for answer in answers] == [200, 200, 401, 404, 405, 413, 204, 403, 404, 200]

"""How the scorer's PC sends its scores: the command line for a stream, and a file for Windows that holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue

from config import Settings
from relay.registry import Registry

# A host that no shell and no batch file can take for anything else.
_PLAIN_HOST = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/")
_BATCH = """@echo off
rem Carries the score from this PC to the stream {name}. Drop the scoring program's file or folder on this file.
setlocal
cd /d "%~dp0"
set "SCORES=%~1"
if not defined SCORES set /p "SCORES=Drag the scoring program's file or folder into this window and press Enter: "
set "SCORES=%SCORES:"=%"
{token}if not exist carry_scores.py curl -fsS -o carry_scores.py {root}static/carry_scores.py
set "PYTHON=python"
where py >nul 2>nul && set "PYTHON=py -3"
%PYTHON% carry_scores.py --to {root}streams/{name} --kind nv_play --file "%SCORES%"
pause
"""
_ASK_FOR_TOKEN = 'if not defined CARRY_TOKEN set /p "CARRY_TOKEN=Token of the relay: "\n'  # noqa: S105

blueprint = Blueprint("carrier", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@dataclass(frozen=True)
class Commands:
    """What the person at the scorer's PC types, by shell."""

    python: str
    powershell: str


def commands(name: str) -> Commands:
    """For the stream `name`, with the address by which the present caller reaches the service."""
    root = _root()
    arguments = f'carry_scores.py --to {root}streams/{name} --kind nv_play --file "FILE"'
    fetch = f"irm {root}static/carry_scores.py -OutFile carry_scores.py"
    return Commands(f"python {arguments}", f"{fetch}; python {arguments}")


@blueprint.get("/streams/<name>/carry_scores.bat")
def batch_file(name: str) -> ResponseReturnValue:
    registry: Registry = current_app.extensions["registry"]
    settings: Settings = current_app.extensions["settings"]
    registry.status(name)  # raises StreamNotFound, so that no other name gets into the file
    token = _ASK_FOR_TOKEN if settings.api_token.get_secret_value() else ""
    text = _BATCH.format(name=name, root=_root(), token=token).replace("\n", "\r\n")
    disposition = f'attachment; filename="carry_scores_{name}.bat"'
    return text, 200, {"Content-Type": "text/plain; charset=utf-8", "Content-Disposition": disposition}


def _root() -> str:
    return request.host_url if _PLAIN_HOST.fullmatch(request.host_url) else "http://RELAY/"

"""The calls about the feeds of FEEDS_FILE: list them, read the file again, try one before a match."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue

from relay.feeds import Feeds
from relay.registry import Registry
from scoring.writing import written
from web.bodies import json_body, needed_match_id

blueprint = Blueprint("feeds", __name__)


def init_app(app: Flask, feeds: Feeds) -> None:
    """Register the routes; `feeds` answers them."""
    app.extensions["feeds"] = feeds
    app.register_blueprint(blueprint)


def current_feeds() -> Feeds:
    """The feeds of the application that answers the current call."""
    feeds: Feeds = current_app.extensions["feeds"]
    return feeds


@blueprint.get("/feeds")
def listing() -> ResponseReturnValue:
    return {"feeds": current_feeds().listing(), "fault": current_feeds().fault}


@blueprint.post("/feeds/reload")
def read_again() -> ResponseReturnValue:
    registry: Registry = current_app.extensions["registry"]
    return {"message": "FEEDS_FILE was read", "changed": current_feeds().reload(registry)}


@blueprint.post("/feeds/<feed>/try")
def try_out(feed: str) -> ResponseReturnValue:
    trial = current_feeds().try_out(feed, needed_match_id(json_body()))
    match = None if trial.board is None else written(trial.board)
    return {"match": match, "lacks": [*trial.lacks], "took_s": trial.took_s, "note": trial.note}


@blueprint.get("/feeds/<feed>/try.png")
def strip_png(feed: str) -> ResponseReturnValue:
    headers = {"Content-Type": "image/png", "Cache-Control": "no-store"}
    return current_feeds().strip_png(feed, needed_match_id(request.args)), 200, headers

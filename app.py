"""Puts the service together: settings, logging, registry, routes, web server."""

from __future__ import annotations

import sys

try:
    import contextlib
    import logging
    import os
    import signal
    import threading
    import time
    from collections.abc import Callable
    from types import FrameType

    from flask import Flask

    import routes
    from club.links import Links
    from club.score_logs import ScoreLogs
    from club.store import Store
    from config import Settings, environment, feed_variables, forget_secrets, load_settings
    from errors import ConfigurationError, ImageRejected
    from graphics import slate
    from logging_setup import redact, set_up_logging
    from media import io_loop
    from relay import installed
    from relay.feeds import Feeds
    from relay.registry import Registry, StreamRegistry
    from relay.request import Machinery
    from relay.state_file import StateFile
    from web import access, cameras, carrier, dashboard, hooks, login, scores, security_headers, web_server
    from web import feeds as feeds_api
    from web import links as links_api
    from web.metrics import Metrics
except ModuleNotFoundError as error:
    if __name__ != "__main__":
        raise
    sys.exit(f"{error.name} is not installed: run `pip install -r requirements.txt`")

END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def create_app(
    settings: Settings | None = None,
    registry: Registry | None = None,
    metrics: Metrics | None = None,
    feeds: Feeds | None = None,
    store: Store | None = None,
) -> Flask:
    """Make the WSGI application. The caller closes `app.extensions["registry"]` at the end.

    If a `registry` is given, `metrics` must be those whose meters it uses, and `store` what it restores from.
    """
    settings = settings or load_settings()
    metrics = metrics or Metrics()
    feeds = feeds or Feeds(settings, environment())
    store = store or Store(settings.data_dir)
    links, logs = Links(store, time.time), ScoreLogs(store, time.time)
    registry = registry or make_registry(settings, metrics, feeds, store=store)
    metrics.watch(registry, settings)
    app = Flask(__name__, static_folder="web/static", template_folder="web/templates")
    app.url_map.merge_slashes = False  # a wrong path is a 404 in JSON, not a redirect in HTML
    app.json.sort_keys = False  # type: ignore[attr-defined]
    access.guard(app, settings, find_link=links.find)
    login.init_app(app)
    routes.init_app(app, registry, settings, metrics)
    feeds_api.init_app(app, feeds)
    app.register_blueprint(dashboard.blueprint)
    cameras.init_app(app, settings)
    carrier.init_app(app)
    links_api.init_app(app, links)
    scores.init_app(app, scores.Desk(logs, links))
    hooks.init_app(app)
    security_headers.add_to(app)
    return app


def make_registry(
    settings: Settings,
    metrics: Metrics,
    feeds: Feeds,
    state_file: StateFile | None = None,
    store: Store | None = None,
) -> Registry:
    """Make the registry: of the streams on this machine, or of those on the cluster that it belongs to."""
    if settings.stream_backend == "local":
        last = scores.last_score(ScoreLogs(store or Store(settings.data_dir), time.time))
        return StreamRegistry(settings, Machinery(meters=metrics.meters), state_file, feeds.find, last)
    try:
        from cluster.registry import ClusterRegistry  # noqa: PLC0415 - one machine needs no Ray
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"STREAM_BACKEND: {error.name} is not installed: run `pip install -r requirements-cluster.txt`"
        ) from error
    return ClusterRegistry(settings, metrics.meters)


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, then end all streams. Exit at once if the settings cannot be used."""
    try:
        settings = load_settings()
        set_up_logging(settings.log_dir, settings.log_level)
        feeds = Feeds(settings, environment())
        forget_secrets(feed_variables(settings.feeds_file))
        path = installed.find_working_ffmpeg(settings.ffmpeg_bin, settings.encoder, settings.profile)
        settings = settings.model_copy(update={"ffmpeg_bin": path})
        slate.draw_slate(settings.profile, "", "", settings.slate_image)
        serve(settings, feeds)
    except (ConfigurationError, ImageRejected) as error:
        sys.exit(str(error))


def serve(settings: Settings, feeds: Feeds | None = None) -> None:
    """Run the service on the calling thread, which must be the main one."""
    log = logging.getLogger("app")
    feeds = feeds or Feeds(settings, environment())
    io_loop.lift_descriptor_limit()
    state_file = StateFile(settings.state_file) if settings.state_file else None
    metrics = Metrics()
    store = Store(settings.data_dir)
    registry = make_registry(settings, metrics, feeds, state_file, store)
    redact.add([settings.hook_secret.get_secret_value()])
    server = web_server.listen(create_app(settings, registry, metrics, feeds, store), settings.host, settings.port)

    def leave(number: int) -> None:
        what = "ends all streams" if settings.stream_backend == "local" else "leaves the cluster, where streams go on"
        log.info("%s: the service stops and %s", signal.Signals(number).name, what)
        # On another thread, because waitress first waits for the calls that are under way.
        threading.Thread(target=registry.close, name="close").start()
        raise SystemExit

    on_end_signal(leave, (lambda: _read_feeds(feeds, registry)) if settings.feeds_file else None)
    if settings.stream_backend == "local":
        may_run = settings.capacity
        log.info("listening on %s:%s; %s", settings.host, settings.port, may_run.because)
        if may_run.is_too_small:
            log.warning("this machine's cores may be too few for even one stream of %s", settings.profile.name)
    else:
        log.info("listening on %s:%s; streams run on the Ray cluster", settings.host, settings.port)
    registry.restore()
    try:
        server.run()
    finally:
        registry.close()
        server.close()
        store.close()
        if state_file:
            state_file.close()


def _read_feeds(feeds: Feeds, registry: Registry) -> None:
    with contextlib.suppress(ConfigurationError):  # it is in the log
        feeds.reload(registry)


def on_end_signal(leave: Callable[[int], None], read_again: Callable[[], None] | None = None) -> None:
    """Call `leave` with the first signal that asks the process to end; ignore later ones.

    With `read_again`, SIGHUP calls that on a thread instead, unless the terminal has been closed.
    """
    had_terminal = _has_terminal()

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP and read_again and not (had_terminal and not _has_terminal()):
            threading.Thread(target=read_again, name="read-feeds", daemon=True).start()
            return
        for other in END_SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        leave(number)

    for number in END_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, handle)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()

"""The parts list: settings, logging, registry, routes, waitress."""

from __future__ import annotations

import sys

try:
    import logging
    import signal
    import threading
    from collections.abc import Callable
    from types import FrameType

    from flask import Flask
    from waitress.server import create_server

    import access
    import dashboard
    import ffmpeg
    import routes
    import slate
    from config import Settings, load_settings
    from errors import ConfigurationError, ImageRejected
    from logging_setup import set_up_logging
    from state_file import StateFile
    from streams import StreamRegistry
except ModuleNotFoundError as error:
    if __name__ != "__main__":
        raise
    sys.exit(f"{error.name} is not installed: run `pip install -r requirements.txt`")

# A start waits for the match API and a stop for its FFmpegs: a handful at once must not hold up the rest.
HTTP_THREADS = 16
END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Flask refuses bodies over its own limit with JSON; this is for what is so large that reading it is a waste.
MAX_READ_BYTES = 16 * 1024 * 1024


def create_app(settings: Settings | None = None, registry: StreamRegistry | None = None) -> Flask:
    """The WSGI application; who makes it closes `app.extensions["registry"]` at the end."""
    settings = settings or load_settings()
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    access.guard(app, settings)
    routes.init_app(app, registry or StreamRegistry(settings), settings)
    app.register_blueprint(dashboard.blueprint)
    return app


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, then end all streams; settings that cannot be used end it at once."""
    try:
        settings = load_settings()
        set_up_logging(settings.log_dir, settings.log_level)
        settings = settings.model_copy(update={"ffmpeg_bin": ffmpeg.find_ffmpeg(settings.ffmpeg_bin)})
        slate.draw_slate(settings.profile, "", "", settings.slate_image)
        serve(settings)
    except (ConfigurationError, ImageRejected) as error:
        sys.exit(str(error))


def serve(settings: Settings) -> None:
    """Run the service on the calling, main thread."""
    log = logging.getLogger("app")
    state_file = StateFile(settings.state_file) if settings.state_file else None
    registry = StreamRegistry(settings, state_file=state_file)
    app = create_app(settings, registry)
    try:
        server = create_server(
            app, host=settings.host, port=settings.port, threads=HTTP_THREADS, max_request_body_size=MAX_READ_BYTES
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"HOST, PORT: cannot listen on {settings.host}:{settings.port}: {error}") from None

    def leave(number: int) -> None:
        log.info("%s: stops, and ends its streams", signal.Signals(number).name)
        # Beside waitress, which first waits for the calls that are under way.
        threading.Thread(target=registry.close, name="close").start()
        raise SystemExit

    on_end_signal(leave)
    log.info("serves on %s:%s", settings.host, settings.port)
    registry.restore()
    try:
        server.run()
    finally:
        registry.close()
        server.close()
        if state_file:
            state_file.close()


def on_end_signal(leave: Callable[[int], None]) -> None:
    """Call `leave` with the first signal that asks the process to end; later ones add nothing."""

    def handle(number: int, _frame: FrameType | None) -> None:
        for other in END_SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        leave(number)

    for number in END_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, handle)


if __name__ == "__main__":
    main()

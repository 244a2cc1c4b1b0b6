"""A stream's life, from its start call until nothing of it is left.

Knows nothing of HTTP, and spells no FFmpeg flags: those are `ffmpeg.py`'s.
Read `stream.py` first, then `picture.py` (what goes on air), `delivery.py`
(where it goes) and `registry.py` (all streams of this machine). One running
FFmpeg is `process.py`; which one is installed is asked in `installed.py`.
"""

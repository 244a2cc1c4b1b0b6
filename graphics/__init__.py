"""A score, a banner or a slate to pixels.

Fetches nothing, writes no overlay file, and decides nothing of when a picture
is shown. Read `strip.py` first (what stands where), with `players.py`
and `second_line.py` for its parts, then `layout.py` and `drawing.py`, which
makes the pixels.
"""

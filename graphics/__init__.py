"""A score, a banner or a slate to pixels.

Fetches nothing, writes no overlay file, and decides nothing of when a picture
is shown. Read `strip.py` first (what stands where), with `players.py`,
`second_line.py` and `banner.py` for its parts, then `layout.py` and
`drawing.py`, which makes the pixels. `on_screen.py` says the same in words.
"""

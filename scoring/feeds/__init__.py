"""What scoring programs write, read into the project's own shape: one file a kind.

A reader takes a file as it is, and keeps what later files leave out. It refuses to guess: what
a program does not say stays unknown. Read `nv_play.py` first; docs/feeds.md says what each lacks.
"""

"""What the encoded stream is: profiles, encoders, MPEG-TS, its clock, and who gets the bytes.

Knows no score, no picture and no process: only bytes, descriptors and values.
Read `switch.py` first, then `mpegts.py` and `io_loop.py`.
"""

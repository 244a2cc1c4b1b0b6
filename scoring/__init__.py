"""What the score is, and what follows from it.

Pure, but for the client that asks the match API. Draws nothing, and knows
nothing of streams, FFmpeg or HTTP routes. Read `scoreboard.py` first, then
`reading.py` (feeds and pushes into a score), `cricket.py` (what follows from a
score) and `rundown.py` (what is shown when).
"""

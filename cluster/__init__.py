"""The registry once more, for many machines, on Ray.

The API does not notice the difference. Only this wing imports Ray; one machine
does without it. Read `registry.py` first, with `placing.py` (room for new
streams) and `reports.py` (the status of those that run), then
`stream_actor.py` and `life.py` (one stream on one node), `takeover.py` (from one node to
another) and `cluster_state.py` (what the cluster's head knows).
"""

"""The registry once more, for many machines, on Ray.

The API does not notice the difference. Only this wing imports Ray; one machine
does without it. Read `registry.py` first, then `stream_actor.py` (one stream
on one node) and `cluster_state.py` (what the cluster's head knows).
"""

"""What people make and want kept, in DATA_DIR: links, and the logs of scored matches.

It holds values and stores them; it knows no HTTP, draws nothing, and no stream waits for it. A folder that
is missing, full or cannot be written costs these features alone. Start with `store.py`.
"""

"""Who may call the service, and what they see: the pages, health, metrics and the API's document.

It starts no process and draws no picture: it asks a registry and shows the answers.
Read `access.py` first, then `dashboard.py`. The routes of the API are in the
top-level `routes.py`.
"""

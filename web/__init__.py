"""Who may call the service, and what they see: the pages, health, metrics and the API's document.

Starts no process and draws no picture: it asks a registry, and shows its answers.
Read `access.py` first, then `dashboard.py`. The API's routes are in `routes.py`,
at the top.
"""

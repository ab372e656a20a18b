"""The HTTP edge: Chalice's only place beside `app.py`. One module a group of routes."""

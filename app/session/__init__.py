"""Everything that outlives one run of a page: opened runs, searches, and what the address bar says.

The only package with caches and session state. Whatever a page remembers stands in the URL, either because a widget is
bound to it or because it is written here; every value that comes back is checked before it is used.
"""

"""Tightrope: how states and armed movements deal with one another when nobody can be sure that a promise holds.

Importing this package imports none of its modules: each verb brings in what it needs, so that start-up stays light.
"""

__version__ = "0.1.0"

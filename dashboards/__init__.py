"""The dashboard: a run watched, questioned and compared in a browser, on this machine and nowhere else.

`python -m dashboards` serves it. `server` decides who gets in, `app` is the shell and the contract of a page, `state`
what the pages share, `live` the only one that knows the Mesa model; every other module is a page or draws for one.
"""

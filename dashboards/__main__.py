"""`python -m dashboards [DIR]`: serve the dashboard until it is interrupted. Its first line of output is its URL."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboards import server
from sim.errors import BadInput


def main() -> int:
    """Returns the exit code: 0 done, 2 bad input, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="tightrope dashboard", description=__doc__)
    parser.add_argument("folder", nargs="?", default="runs", type=Path, metavar="DIR")
    parser.add_argument("--port", type=int, default=None)
    parser.add_argument("--host", default=server.LOOPBACK)
    parser.add_argument("--no-open", action="store_true")
    asked = parser.parse_args()
    try:
        server.serve(asked.folder, asked.host, asked.port, browse=not asked.no_open)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

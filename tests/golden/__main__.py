"""Writes the golden runs anew (see the package's docstring)."""

import sys

from tests import golden

for name in sys.argv[1:] or golden.names():
    golden.write(name)
    print(golden.path(name))

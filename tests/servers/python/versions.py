"""`python versions.py PACKAGE...` prints the version of Python, and of these packages: a line each, name first."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

print("python", platform.python_version())
for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        pass

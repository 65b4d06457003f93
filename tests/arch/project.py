"""Where things are, for the tests of this folder; ctest sets the variables."""

import os
import pathlib
import re
import subprocess

root = pathlib.Path(os.environ.get("FLASHSALE_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
build = pathlib.Path(os.environ.get("FLASHSALE_BUILD_DIR", root / "build/release"))
flashsale = os.environ.get("FLASHSALE_BINARY", str(build / "flashsale"))
cmake = os.environ.get("FLASHSALE_CMAKE", "cmake")
compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", (build / "CMakeCache.txt").read_text(),
                     re.MULTILINE)[1]


def run(command, **more):
    """Exit code and all that was printed. CMake breaks its lines as it likes: they are joined."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **more)
    return done.returncode, " ".join(done.stdout.split())

"""What the modules' own compile commands let a file include."""

import concurrent.futures
import json
import os
import re
import shlex
import tempfile
import unittest

import project


def compile_command(module):
    """That of the module's implementation, without its input and output."""
    for entry in json.loads((project.build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        output, source = words.index("-o"), words.index("-c")
        if f"/flashsale_{module}.dir/" in words[output + 1]:
            gone = (output, output + 1, source, source + 1)
            return [word for i, word in enumerate(words) if i not in gone], entry["directory"]
    raise AssertionError(f"no source of {module} is compiled in {project.build}")


def includes(module, header):
    """Whether a file of `module` that includes `header`, and nothing else, compiles."""
    command, directory = compile_command(module)
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as source:
        source.write(f"#include <{header}>\n")
        source.flush()
        return project.run(command + ["-fsyntax-only", source.name], cwd=directory)


def header_of(file):
    """Its module, and as it is included; whether it is for the composition."""
    folder, *parts = file.relative_to(project.root / "include").parts
    return folder.removesuffix("_composition"), "/".join(parts), folder.endswith("_composition")


def may_use():
    """The allow-list."""
    text = (project.root / "src/CMakeLists.txt").read_text()
    return {name: uses.split()
            for name, uses in re.findall(r"flashsale_allow\((\w+)([^)]*)\)", text)}


def sources(*folders):
    for folder in folders:
        for file in sorted((project.root / folder).rglob("*")):
            if file.suffix in (".hpp", ".cpp"):
                yield file


class Includes(unittest.TestCase):
    def refused(self, module, header):
        code, output = includes(module, header)
        self.assertNotEqual(code, 0, f"{module} can include {header}")
        self.assertRegex(output, "file not found|No such file")

    def accepted(self, module, header):
        code, output = includes(module, header)
        self.assertEqual(code, 0, output)

    def test_undeclared(self):
        self.accepted("user", "flashsale/postgres.hpp")
        self.refused("user", "flashsale/stock.hpp")
        self.refused("user", "flashsale/redis.hpp")
        self.accepted("order", "flashsale/stock.hpp")
        self.refused("order", "flashsale/redis.hpp")
        self.accepted("postgres", "libpq-fe.h")
        self.refused("user", "libpq-fe.h")

    def test_composition(self):
        """What a module is put together from is seen by those that the allow-list names for it, and
        by no other module, however much else it may see of that module."""
        cases = []
        for module, uses in may_use().items():
            for file in sources("include"):
                owner, header, composition = header_of(file)
                seen = {owner, f"{owner}_api", f"{owner}_composition"} & set(uses)
                if composition and (seen or uses == ["all"]):
                    right = uses == ["all"] or f"{owner}_composition" in uses
                    cases.append((module, header, right))
        for right in (True, False):
            self.assertGreater(sum(case[2] == right for case in cases), 10)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for (module, header, right), (code, output) in zip(
                    cases, pool.map(lambda case: includes(*case[:2]), cases)):
                with self.subTest(module=module, header=header):
                    if right:
                        self.assertEqual(code, 0, output)
                    else:
                        self.assertNotEqual(code, 0, f"{module} can include {header}")
                        self.assertRegex(output, f"'{header}' file not found")

    def test_headers(self):
        headers = [header_of(file)[:2] for file in sources("include")]
        self.assertGreater(len(headers), 15)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for header, (code, output) in zip(headers, pool.map(lambda h: includes(*h), headers)):
                self.assertEqual(code, 0, f"{header}: {output}")

    def test_c_libraries(self):
        """Two of them are in the compiler's default folder, where no include path can hide them."""
        owner = {"hiredis": "redis", "amqp": "amqp", "libpq": "postgres", "sqlite": "sqlite",
                 "unicode": "base"}
        seen = set()
        for file in sources("include", "src"):
            folder, module = file.relative_to(project.root).parts[:2]
            for name in re.findall(r"#include <(\w+)[\w./-]*>", file.read_text()):
                for library in owner:
                    if name.startswith(library):
                        self.assertEqual((folder, module), ("src", owner[library]), file)
                        seen.add(library)
        self.assertLessEqual({"hiredis", "amqp", "libpq", "unicode"}, seen, "the test looks in the wrong place")


if __name__ == "__main__":
    unittest.main()

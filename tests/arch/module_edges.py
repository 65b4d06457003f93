"""The tree with one edge more between its modules: does it configure?"""

import pathlib
import re
import shutil
import tempfile
import unittest

import project


def configure(change):
    """Configures a copy of the tree, in which change(src) has edited CMakeLists files."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        shutil.copytree(project.root / "src", copy / "src")
        for name in ("CMakeLists.txt", "cmake", "include", "migrations", "config", "packaging"):
            (copy / name).symlink_to(project.root / name)
        change(copy / "src")
        return project.run([project.cmake, "-S", copy, "-B", copy / "build", "-G", "Ninja",
                            f"-DCMAKE_CXX_COMPILER={project.compiler}",
                            "-DFLASHSALE_BUILD_TESTS=OFF", "-DFLASHSALE_BUILD_BENCH=OFF"])


def edit(file, pattern, replacement):
    text = file.read_text()
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern} is not in {file}"
    file.write_text(changed)


def use(module, used):
    """`module` declares that it uses `used`."""
    def change(src):
        file = src / module / "CMakeLists.txt"
        if re.search(r"^\s*USES", file.read_text(), re.MULTILINE):
            edit(file, r"^(\s*USES)", rf"\1 {used}")
        else:
            edit(file, rf"^flashsale_module\({module}$", rf"flashsale_module({module} USES {used}")
    return change


class Edges(unittest.TestCase):
    def test_the_tree_configures(self):
        code, output = configure(lambda src: None)
        self.assertEqual(code, 0, output)

    def test_forbidden(self):
        for module, used in (("user", "stock_api"), ("order", "stock"), ("order", "events"),
                             ("stock", "order_api"), ("http", "redis"), ("base", "http"),
                             ("events", "stock_api"), ("order", "stock_composition"),
                             ("stock", "events_composition"), ("recovery", "user_composition")):
            with self.subTest(edge=f"{module} -> {used}"):
                code, output = configure(use(module, used))
                self.assertNotEqual(code, 0, output)
                self.assertIn(f"module '{module}' may not use '{used}'", output)

    def test_allowed(self):
        """The same edge, once it is in the allow-list."""
        def change(src):
            edit(src / "CMakeLists.txt", r"^(flashsale_allow\(user\b.*)\)$", r"\1 stock_api)")
            use("user", "stock_api")(src)
        code, output = configure(change)
        self.assertEqual(code, 0, output)

    def test_composition_is_permitted_by_itself(self):
        """Not by the right to the implementation."""
        def change(src):
            edit(src / "CMakeLists.txt", r"^(flashsale_allow\(order\b.*)\)$", r"\1 stock)")
            use("order", "stock_composition")(src)
        code, output = configure(change)
        self.assertNotEqual(code, 0, output)
        self.assertIn("module 'order' may not use 'stock_composition'", output)

    def test_links(self):
        """LINKS is for other people's libraries, and only flashsale_module() makes a module."""
        for file in sorted((project.root / "src").glob("*/CMakeLists.txt")):
            text = file.read_text()
            for links in re.findall(r"\bLINKS\b([^)]*)\)", text):
                self.assertNotIn("flashsale_", links, file)
            for linked in re.findall(r"target_link_libraries\(([^)]*)\)", text):
                # The executable is the composition, with another malloc.
                self.assertIn(linked, {"flashsale PRIVATE flashsale_app",
                                       "flashsale PRIVATE mimalloc"}, file)


if __name__ == "__main__":
    unittest.main()

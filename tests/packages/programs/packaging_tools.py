# needs: python3-setuptools python3-pkg-resources python3-packaging python3-wheel python3-zipp python3-importlib-metadata
# packages: setuptools pkg_resources packaging zipp importlib_metadata
"""A package index: versions, requirements, markers, tags, a project that is
built in a folder by setuptools, found again by pkg_resources and by
importlib_metadata, entry points loaded by name."""
import contextlib
import copy
import io
import os
import pathlib
import pickle
import sys
import tarfile
import zipfile

import setuptools                                          # noqa: F401
import importlib_metadata
import packaging.tags
import packaging.utils
import packaging.version
import pkg_resources
import zipp
from packaging.markers import InvalidMarker, Marker, UndefinedComparison
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pkg_resources import (DistributionNotFound, EntryPoint, VersionConflict,
                           WorkingSet, parse_requirements)
from setuptools import Command, Extension, find_namespace_packages, find_packages
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info
from setuptools.config.setupcfg import read_configuration
from setuptools.dist import Distribution
from setuptools.errors import OptionError, PackageDiscoveryError

FILES = {
    "tiny/__init__.py": "__version__ = '1.2'\n\n\ndef main():\n    return 'ran'\n",
    "tiny/data/words.txt": "one\ntwo\n",
    "tiny/sub/__init__.py": "",
    "README.rst": "Tiny\n====\n",
    "setup.cfg": "[metadata]\nname = tiny-one\nversion = attr: tiny.__version__\n"
                 "long_description = file: README.rst\n[options]\npackages = find:\n"
                 "install_requires =\n    missing-thing>=2; python_version<'3'\n"
                 "[options.package_data]\ntiny = data/*.txt\n"
                 "[options.entry_points]\ntiny.plugins =\n    go = tiny:main\n",
}


class Count(Command):
    description = "count the packages"
    user_options = [("twice", "t", "count twice")]
    boolean_options = ["twice"]

    def initialize_options(self):
        self.twice = 0

    def finalize_options(self):
        self.times = 2 if self.twice else 1

    def run(self):
        print("counted", len(self.distribution.packages) * self.times)


class Build(build_py):
    def run(self):
        super().run()
        print("built", sorted(os.path.basename(f) for f in self.get_outputs()))


def versions():
    print(sorted(map(Version, ["1.0", "1.0rc1", "1.0.post1", "1!0.1", "0.9.dev2"])))
    print(SpecifierSet("~=1.4,!=1.4.2").filter(["1.4.1", "1.4.2", "1.5"]).__next__(),
          Version("1.2.3+local").public, pickle.loads(pickle.dumps(Version("2"))))
    r = Requirement("Name[a,b]>=1,<2; python_version >= '3' and extra == 'a'")
    print(r.name, sorted(r.extras), r.specifier.contains("1.5"), r.marker.evaluate(
        {"extra": "a"}), packaging.utils.canonicalize_name("A_b.C"))
    print(packaging.utils.parse_wheel_filename("a-1-py3-none-any.whl")[:2],
          next(packaging.tags.compatible_tags((3, 9), "cp39", ["any"])))
    for bad in (lambda: Version("x.y"), lambda: SpecifierSet("=>1"), lambda:
                Requirement("a b"), lambda: Marker("os_name"), lambda: Marker(
                    "extra ~= 'x'").evaluate({"extra": "q"})):
        try:
            bad()
        except (InvalidVersion, InvalidSpecifier, InvalidRequirement,
                InvalidMarker, UndefinedComparison) as error:
            print(type(error).__name__)


def built():
    for name, text in FILES.items():
        path = pathlib.Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(find_packages(), sorted(find_namespace_packages()),
          read_configuration("setup.cfg")["metadata"]["version"])
    dist = Distribution({"script_name": "setup.py", "cmdclass": {
        "count": Count, "build_py": Build}})
    dist.parse_config_files()
    dist.set_defaults()
    for command in (["count", "--twice"], ["build_py"], ["sdist"], ["egg_info"],
                    ["bdist_egg"]):
        dist.script_args = command
        with contextlib.redirect_stdout(io.StringIO()) as out:
            dist.parse_command_line()
            dist.run_commands()
        print(command, [line for line in out.getvalue().splitlines()
                        if "counted" in line or "built" in line])
    with tarfile.open(next(pathlib.Path("dist").glob("*.gz"))) as archive:
        print(sorted(archive.getnames())[:6])
    print(egg_info.description, Extension("x", ["x.c"]).name,
          issubclass(PackageDiscoveryError, OptionError))
    try:
        dist.get_command_obj("nothing")
    except Exception as error:
        print(type(error).__name__)


def found():
    sys.path.insert(0, os.getcwd())
    ws = WorkingSet(["."])
    one = ws.require("tiny-one")[0]
    print(one, one.requires(), one.get_entry_map("tiny.plugins"),
          one.load_entry_point("tiny.plugins", "go")())
    print(EntryPoint.parse("a = b.c:d [x]"), [str(r) for r in parse_requirements(
        "a>1\n# no\nb[x]")], pkg_resources.parse_version("1.0a1").is_prerelease)
    for bad in ("tiny-one>9", "none-of-it"):
        try:
            ws.require(bad)
        except (VersionConflict, DistributionNotFound) as error:
            print(type(error).__name__, error.report().split(" from")[0][:30])
    print(pkg_resources.resource_string("tiny", "data/words.txt"), pkg_resources
          .resource_listdir("tiny", "data"), pkg_resources.safe_name("a b"))
    got = importlib_metadata.distribution("tiny-one")
    print(got.version, [(e.name, e.load()()) for e in got.entry_points],
          importlib_metadata.entry_points(group="tiny.plugins").names,
          got.metadata.json["name"])
    try:
        importlib_metadata.version("none-of-it")
    except importlib_metadata.PackageNotFoundError as error:
        print(error)
    egg = zipp.Path(zipfile.ZipFile(next(pathlib.Path("dist").glob("*.egg"))))
    print((egg / "tiny/data/words.txt").read_text(), sorted(
        p.name for p in egg.iterdir()), copy.copy(egg / "x").exists())


versions()
built()
found()

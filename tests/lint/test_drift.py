"""Tables that are written in two places say the same."""
import os
import re
import subprocess

import pytest

from tree import ROOT, rows

COMMANDS = [(row[1], row[2], row[5]) for row in
            rows(ROOT / "ctl/wire/commands.def", "WIRE_COMMAND")]
WORDS = [words for _, words, _ in COMMANDS]


def run(variable, *words):
    program = os.environ.get(variable)
    if not program:
        pytest.skip(f"{variable} is not set")
    done = subprocess.run([program, *words], text=True, check=True,
                          stdout=subprocess.PIPE)
    return done.stdout


def test_commands_were_read():
    assert len(COMMANDS) >= 18
    assert ("ignore.add", "ignore add", "KIND VALUE...") in COMMANDS


def test_error_kinds_of_lazycore_are_on_the_wire():
    wire = {row[1]: row[2] for row in
            rows(ROOT / "ctl/wire/errors.def", "WIRE_ERROR")}
    header = (ROOT / "lazycore/error.h").read_text()
    kinds = re.findall(r'LZ_ERROR\(\w+, "(\w+)"', header)
    assert len(kinds) > 10 and kinds[0] == "none"
    assert set(kinds[1:]) <= set(wire)
    assert len(set(wire.values())) == len(wire), "a code stands twice"


def test_levels_and_verdicts():
    header = (ROOT / "lazycore/lazycore.h").read_text()
    verdicts = re.findall(r'LZ_VERDICT\(\w+, "(\w+)",\s+(\d+)\)', header)
    assert len(verdicts) == 6
    run_c = (ROOT / "ctl/run.c").read_text()
    for verdict, status in verdicts:
        assert f'{{"{verdict}", ' in run_c, verdict
        if status != "0":
            assert f'{{"{verdict}", {status}}}' in run_c, verdict


def test_readme_lists_every_command():
    text = (ROOT / "README.md").read_text()
    listed = re.findall(r"^\| `([^`]+)` \| (.*) \|$", text, flags=re.M)
    table = [((words + " " + arguments).strip(), help_text) for
             (_, words, arguments), help_text in
             zip(COMMANDS, [row[-1] for row in
                            rows(ROOT / "ctl/wire/commands.def",
                                 "WIRE_COMMAND")])]
    assert [row for row in table if row not in listed] == []


def test_manual_of_lazyctl_names_every_command():
    page = (ROOT / "ctl/lazyctl.1").read_text()
    items = re.findall(r"^\.It Cm ([a-z]+(?: [a-z]+)?)", page, flags=re.M)
    assert sorted(set(WORDS) - set(items)) == []
    assert sorted(set(items) - set(WORDS)) == []


def test_help_of_lazyctl_names_every_command():
    text = run("LAZYCTL", "help")
    for words in WORDS:
        assert re.search(rf"^  {words}\b", text, flags=re.M), words


def test_completion_gets_its_words_from_lazyctl():
    table = [line.split("|")[0]
             for line in run("LAZYCTL", "help", "--words").splitlines()]
    assert table == [""] + WORDS
    script = (ROOT / "ctl/completion.bash").read_text()
    assert "lazyctl help --words" in script
    typed = [words for words in WORDS if f'"{words}")' in script]
    assert set(typed) <= {"ignore save"}


def options_of_lazyd():
    text = run("LAZYD", "--help")
    return sorted(set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)))


def test_manual_of_lazyd_names_every_option():
    options = options_of_lazyd()
    assert "--stop-timeout" in options
    page = (ROOT / "daemon/lazyd.8").read_text()
    plain = page.replace("\\-", "-").replace("Fl -", "Fl --")
    assert [option for option in options
            if not re.search(rf"{option}\b", plain)
            and option not in ("--usage",)] == []


def test_readme_names_only_options_that_are():
    text = (ROOT / "README.md").read_text()
    known = set(options_of_lazyd())
    known |= set(re.findall(r"--[a-z][a-z-]+",
                            run("LAZYCTL", "help", "--words")))
    other = {"--preset", "--workflow", "--build", "--port", "--preload"}
    used = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text))
    assert used - known - other == set()


def test_ci_runs_the_command_of_the_readme():
    readme = (ROOT / "README.md").read_text()
    script = (ROOT / ".ci/run").read_text()
    assert "cmake --workflow --preset dev" in readme
    assert "cmake --workflow --preset dev" in script
    line = next(line for line in readme.splitlines()
                if line.endswith("--workflow --preset dev"))
    packages = re.search(r"install -y (.*?) &&", line)[1].split()
    wanted = re.search(r"needed=\((.*?)\)", script, flags=re.S)[1].split()
    assert set(packages) - set(wanted) == set()


def test_versions_agree():
    version = re.search(r"project\(lazyd VERSION (\S+)",
                        (ROOT / "CMakeLists.txt").read_text())[1]
    assert run("LAZYD", "--version").split()[-1] == version
    assert run("LAZYCTL", "--version").split()[-1] == version

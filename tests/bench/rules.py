"""What each rule of the policy costs: the services of start.py under python3
with the extension, with all rules on and with one of them off, to the first
answer: memory that is the process's own, and modules executed. A rule that a
service needs breaks it when it is off."""
import signal
import subprocess
import tempfile

import common
import start

RULES = ("guarded", "late", "for_effect", "same_package", "namespaces",
         "foresight", "sys_modules", "forks")

# Right after site; at the signal the number of modules is written.
BOOT = f"""\
import os, signal, sys
import lazycore
for rule in os.environ["BENCH_RULES_OFF"].split():
    lazycore.rule(rule, False)
lazycore.install()
def write(number, frame):
    with open(os.environ["BENCH_MODULES"], "w") as file:
        print(len(sys.modules), file=file)
    os._exit(0)
signal.signal({signal.SIGUSR2:d}, write)
"""


def one(options, folder, script, off):
    """(MB, modules) at the first answer, or None where it breaks."""
    port_file, modules = folder / "port", folder / "modules"
    environment = {**common.environment(), "HOME": str(folder),
                   "PYTHONPATH": f"{folder / 'boot'}:{options.lazycore}",
                   "BENCH_RULES_OFF": off, "BENCH_MODULES": str(modules)}

    def count(process):
        process.send_signal(signal.SIGUSR2)
        process.wait()

    try:
        _, _, memory = start.first_answer(
            [common.PYTHON, common.SERVICES / script,
             *start.arguments(script, port_file)],
            port_file, environment, after=count)
        return memory, int(modules.read_text())
    except (start.Breaks, subprocess.SubprocessError):
        return None


def cell(found):
    if None in found:
        return "breaks"
    memory, modules = (common.median(column) for column in zip(*found))
    return f"{modules:.0f}/{memory:.1f}"


def run(options):
    rows = []
    scripts = start.installed()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = common.pathlib.Path(name)
        (folder / "boot").mkdir()
        (folder / "boot" / "sitecustomize.py").write_text(BOOT)
        common.settle()
        for off in ("", *RULES):
            rows.append([f"without {off}" if off else "all rules", *(
                cell([one(options, folder, script, off) for _ in range(3)])
                for script in scripts)])
    common.table("modules executed / Private_Dirty MB at the first answer, "
                 "median of 3, under python3 with the extension",
                 ["rules", *scripts], rows)

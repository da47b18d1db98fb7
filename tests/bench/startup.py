"""Services from start to first answer, under python3 and under lazyd: the
time it takes, and the memory that is the process's own (Private_Dirty)."""
import importlib.util
import pathlib
import subprocess
import time
import urllib.request

import common


def first_answer(command, port_file, environment):
    """(ms, MB) of one start; the service is ended again."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command],
                               stdout=subprocess.DEVNULL, env=environment,
                               stderr=subprocess.DEVNULL)
    try:
        while not port_file.exists():
            if process.poll() is not None:
                raise SystemExit(f"{command} ended")
            time.sleep(0.0005)
        port = int(port_file.read_text())
        with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/health") as answer:
            answer.read()
        took = (time.perf_counter() - begin) * 1e3
        return took, common.private_dirty_mb(process.pid)
    finally:
        process.terminate()
        process.wait()
        port_file.unlink(missing_ok=True)


def main():
    options = common.options(__doc__, rounds=10)
    rows = []
    for script in ("service.py", "flask_notes.py", "django_notes.py"):
        package = script.split("_")[0]
        if package != "service.py" and not importlib.util.find_spec(package):
            continue
        with common.folder() as name:
            folder = pathlib.Path(name)
            port_file = folder / "port"
            arguments = ([port_file] if package != "service.py" else
                         ["--port", "0", "--port-file", port_file])
            path = common.SERVICES / script
            commands = {
                "python3": [common.PYTHON, path, *arguments],
                "lazyd --lazy=off": [
                    options.lazyd, "-F", "-s", folder / "s", "--lazy=off",
                    "--app", path, "--", *arguments],
                "lazyd": [options.lazyd, "-F", "-s", folder / "s", "--app",
                          path, "--", *arguments]}
            environment = {**common.environment(), "HOME": name}
            found = {key: [] for key in commands}
            for number in range(options.rounds + 1):
                for key, command in commands.items():
                    answer = first_answer(command, port_file, environment)
                    if number:  # the first round warms the caches
                        found[key].append(answer)
            base = [common.median([row[n] for row in found["python3"]])
                    for n in (0, 1)]
            for key, answers in found.items():
                took, memory = (common.median([row[n] for row in answers])
                                for n in (0, 1))
                rows.append([f"{script} {key}", took,
                             min(row[0] for row in answers), took / base[0],
                             memory, memory / base[1]])
    print(f"{options.rounds} rounds, in turn")
    common.table(["service", "median ms", "least ms", "ratio",
                  "Private_Dirty MB", "ratio"], rows)


main()

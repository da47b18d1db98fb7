"""The user that tests take for somebody else, and a lazyd that it can run."""
import pathlib
import shutil
import subprocess

NOBODY = 65534
# For subprocess.
AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def lazyd_for_nobody(lazyd, folder):
    """LAZYD, or, where nobody cannot reach it (in /root, say), a copy of it
    in FOLDER, which nobody can enter."""
    lazyd = pathlib.Path(lazyd)
    # Its other part; a sanitizer's build has none.
    parts = [path for path in (lazyd, lazyd.with_name("lazyd-host.so"))
             if path.exists()]
    if all(subprocess.run(["test", "-r", path, "-a", "-x", path], cwd="/",
                          **AS_NOBODY).returncode == 0 for path in parts):
        return lazyd
    copies = pathlib.Path(folder, "programs")
    copies.mkdir(mode=0o755)
    for path in parts:
        shutil.copy(path, copies)
        (copies / path.name).chmod(0o755)
    return copies / lazyd.name

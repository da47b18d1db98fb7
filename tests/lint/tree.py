"""The files of the project, as the tests of this folder see them."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PARTS = ("lazycore", "daemon", "ctl", "tests")


def c_files(*parts):
    return sorted(path for part in parts or PARTS
                  for path in (ROOT / part).rglob("*.[ch]"))


def name(path):
    return path.relative_to(ROOT).as_posix()


def includes(path):
    """(line number, what is included) of each #include."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if match:
            found.append((number, match[1]))
    return found


def without_comments(text):
    """C without comments, strings and characters; lines stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                  blank, text, flags=re.S)


def functions(path):
    """(line, lines, name) of every function's definition: in this style its
    body is what lies between a '{' and a '}' in the first column."""
    lines = without_comments(path.read_text()).splitlines()
    begin, found = None, []
    for number, line in enumerate(lines, 1):
        if line.startswith("{") and begin is None:
            begin = number
        elif line.startswith("}") and begin is not None:
            head = " ".join(lines[max(0, begin - 6):begin - 1])
            words = re.findall(r"(\w+)\s*\(", head)
            found.append((begin, number - begin - 1,
                          words[0] if words else "?"))
            begin = None
    return found


def rows(path, macro):
    """The arguments of each MACRO(...) in a table; strings are joined."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    text = re.sub(r'"\s*"', "", text)
    found = []
    for match in re.finditer(r"^\s*%s\((.*?)\)\s*\\?$" % macro, text,
                             flags=re.S | re.M):
        cells = re.findall(r'\s*("[^"]*"|[^,]+)', match[1])
        found.append([cell.strip().strip('"') for cell in cells])
    return found

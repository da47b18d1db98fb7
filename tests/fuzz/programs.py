"""Small Python programs from a seed, for differential.py.

Responsible for programs that mean the same in whatever order their module
bodies run: a body uses only modules of a lower rank and none of them prints;
what is imported against the rank is used in functions alone. Leaves running
and comparing to differential.py. A program is blocks of text, so that it can
be shrunk by leaving blocks out.
"""

import random

LEVELS = ("full", "full", "full", "outer", "outer", None, None, "eager")


class Program:
    """Files, each a list of blocks; main.py is what runs."""

    def __init__(self):
        self.files = {}
        self.folders = []  # on sys.path besides the program's own
        self.zipped = []  # top-level names that live in lib.zip
        self.levels = {}
        self.cycles = False  # imports that fail eagerly may succeed lazily

    def copy(self, files=None):
        other = Program()
        other.files = dict(self.files if files is None else files)
        other.folders = list(self.folders)
        other.zipped = list(self.zipped)
        other.levels = dict(self.levels)
        other.cycles = self.cycles
        return other

    def text(self, path):
        return "".join(block + "\n" for block in self.files[path])


class Module:
    """What the generator knows of a module it has written or will write."""

    def __init__(self, name, parent, number):
        self.name = name
        self.parent = parent
        self.number = number
        self.children = []
        self.is_package = self.is_namespace = False
        self.folder = ""
        self.exports = {}  # plain name -> kind
        self.refs = []  # (expression, kind) that its body may use
        self.late_refs = []  # the same, for functions only
        self.blocks = []
        self.early = f"E{number}"
        self.patched = f"P{number}"  # only main uses it, and may change it
        self.effects = set()  # modules that run when this one does
        self.replaced = self.clash = self.has_all = False
        self.broken = self.done = False

    @property
    def tail(self):
        return self.name.rpartition(".")[2]

    @property
    def top(self):
        return self.name.partition(".")[0]

    def ancestors(self):
        result, module = [], self.parent
        while module is not None:
            result.append(module)
            module = module.parent
        return result

    def path(self):
        base = self.folder + self.name.replace(".", "/")
        return base + ("/__init__.py" if self.is_package else ".py")


def indent(text):
    return "".join("    " + line + "\n" for line in text.splitlines())


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.program = Program()
        self.number = 0
        self.modules = []  # by rank, lowest first
        # An import against the rank may fail in one order and not in another,
        # and a guard, a star or a changed name would tell which it was: a
        # program has the one or the others.
        self.may_be_wild = self.chance(40)

    # The tree

    def next(self):
        self.number += 1
        return self.number

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def new_tree(self, parent, depth):
        number = self.next()
        letter = "abcdefgh"[number % 8]
        name = f"m{letter}{number}"
        if parent is not None:
            name = f"{parent.name}.{name}"
        module = Module(name, parent, number)
        if depth > 0 and self.chance(75 if parent is None else 40):
            module.is_package = True
            module.is_namespace = self.chance(12)
            for _ in range(self.random.randint(1, 4 if depth > 1 else 2)):
                module.children.append(self.new_tree(module, depth - 1))
        module.broken = not module.is_package and self.chance(3)
        self.modules.append(module)
        return module

    def plan(self):
        tops = [self.new_tree(None, self.random.choice((1, 2, 2, 3)))
                for _ in range(self.random.randint(1, 4))]
        for top in tops:
            where = self.random.randrange(12)
            level = self.random.choice(LEVELS)
            if level:
                self.program.levels[top.name] = level
            if where == 0:
                self.program.zipped.append(top.name)
            elif where == 1:
                self.program.folders.append("other")
                for module in self.modules:
                    if module.top == top.name:
                        module.folder = "other/"

    # References from one module to another

    def lower(self, module):
        return [m for m in self.modules if m.done and not m.broken]

    def visible(self, module):
        """Exports of MODULE that another may import by name."""
        return sorted(module.exports.items())

    def relative(self, module, target):
        """`from X import` text of the package that MODULE shares with
        TARGET's parent: ('..', 'rest.of.target') or None."""
        if module.name == "__main__":
            return None
        base = module if module.is_package else module.parent
        dots = "."
        while base is not None:
            if target.name.startswith(base.name + "."):
                return dots, target.name[len(base.name) + 1:]
            if target is base:
                return dots, ""
            base = base.parent
            dots += "."
        return None

    def source(self, module, target):
        """How MODULE names TARGET after `from`."""
        relative = self.relative(module, target)
        if relative and self.chance(70):
            return "".join(relative)
        return target.name

    def bind(self, module, name, kind, late=False):
        if late:
            module.late_refs.append((name, kind))
            return
        module.exports[name] = kind
        module.refs.append((name, kind))
        module.late_refs.append((name, kind))

    def import_module_form(self, module, target):
        """A statement that binds TARGET itself: (text, expression, name)."""
        hidden = target.clash and module.top == target.top
        forms = ["from"] if target.parent is not None else []
        forms += ["as", "plain"]
        form = self.random.choice(forms)
        if hidden:
            return None
        if form == "plain":
            return f"import {target.name}", target.name, target.top
        name = "max" if self.chance(2) else f"z{self.next()}"
        if form == "as":
            return f"import {target.name} as {name}", name, name
        source = self.source(module, target.parent)
        return f"from {source} import {target.tail} as {name}", name, name

    def import_names_form(self, module, target, count):
        """A statement that binds names of TARGET: (text, [(name, kind)])."""
        names = self.visible(target)
        if not names:
            return None
        if module.top != target.top or self.chance(30):
            names += [(c.tail, ("module", c)) for c in target.children
                      if c.done and not c.broken and not c.clash
                      and c.tail not in target.exports]
        chosen = self.random.sample(names, min(count, len(names)))
        parts, bound = [], []
        for name, kind in chosen:
            if kind[0] == "module" and kind[1].clash:
                continue
            if kind[0] == "patched" and module.name != "__main__":
                continue
            if self.chance(60) or name in module.exports:
                other = "max" if self.chance(3) else f"n{self.next()}"
                parts.append(f"{name} as {other}")
                bound.append((other, kind))
            else:
                parts.append(name)
                bound.append((name, kind))
        if not parts:
            return None
        source = self.source(module, target)
        text = f"from {source} import " + ", ".join(parts)
        return text, bound

    def choose(self, module):
        found = self.lower(module)
        near = [m for m in found if m.top == module.top]
        if near and self.chance(60):
            return self.random.choice(near)
        return self.random.choice(found) if found else None

    def statement(self, module, target):
        """An import of TARGET or of its names: (text, [(name, kind)],
        [(expression, kind)])."""
        if self.chance(50) and not target.is_namespace:
            form = self.import_names_form(module, target,
                                          self.random.randint(1, 3))
            if form:
                return form[0], form[1], form[1]
        form = self.import_module_form(module, target)
        if form is None:
            return None
        text, expression, name = form
        kind = ("module", target)
        if name == expression:
            return text, [(name, kind)], [(name, kind)]
        top = next(m for m in self.modules if m.name == name)
        return text, [(name, ("module", top))], [(expression, kind)]

    def item_import(self, module):
        target = self.choose(module)
        made = target and self.statement(module, target)
        if not made:
            return None
        text, bound, refs = made
        for name, kind in bound:
            module.exports[name] = kind
        module.refs += refs
        module.late_refs += refs
        return text

    def item_for_effect(self, module):
        """An import whose name nobody uses runs at once, but in a package."""
        target = self.choose(module)
        if target is None or module.is_package or self.may_be_wild:
            return None
        module.effects |= target.effects
        for package in target.ancestors():
            module.effects |= package.effects
        if target.is_namespace or target.replaced or self.chance(60):
            return f"import {target.name} as u{self.next()}"
        return (f"from {self.source(module, target)} import {target.early} "
                f"as u{self.next()}")

    def item_conditional(self, module):
        text = self.item_import(module)
        if not text:
            return None
        return self.random.choice((
            "if {early}:\n{body}", "if not {early}:\n    pass\nelse:\n{body}",
            "for _ in (1, 2):\n{body}",
            "if True:\n{body}", "_ = 0\nwhile _ < 2:\n    _ += 1\n{body}",
        )).format(early=module.early, body=indent(text).rstrip())

    def item_guarded(self, module):
        target = self.choose(module)
        if target is None or self.may_be_wild:
            return None
        made = self.statement(module, target)
        if not made:
            return None
        text, bound, refs = made
        for name, kind in bound:
            module.exports[name] = kind
        module.refs += refs
        module.late_refs += refs
        frame = self.random.choice((
            "try:\n{0}except ImportError:\n    raise",
            "try:\n    pass\nfinally:\n{0}",
            "from contextlib import suppress\nwith suppress(ImportError):\n"
            "{0}",
            "try:\n    raise KeyError\nexcept KeyError:\n{0}",
            "try:\n    import nosuch{n}\nexcept ImportError:\n{0}",
        ))
        return frame.format(indent(text), n=self.next()).rstrip()

    def item_missing(self, module):
        target = self.choose(module)
        number = self.next()
        name = f"n{number}"
        module.exports[name] = ("any",)
        module.late_refs.append((name, ("any",)))
        if (target is None or self.chance(30) or target.replaced or
                self.may_be_wild):
            text = f"import nosuch{number} as {name}"
        else:
            text = f"from {target.name} import nosuch{number} as {name}"
        return (f"try:\n    {text}\nexcept ImportError:\n"
                f"    {name} = {number}")

    def item_broken(self, module):
        broken = [m for m in self.modules if m.broken and m.done]
        if not broken or self.may_be_wild:
            return None
        target = self.random.choice(broken)
        name = f"n{self.next()}"
        self.bind(module, name, ("any",))
        return (f"try:\n    from {target.name} import {target.early} as "
                f"{name}\nexcept Exception as _e:\n"
                f"    {name} = type(_e).__name__")

    def item_star(self, module):
        target = self.choose(module)
        if (target is None or target.replaced or target.is_namespace or
                self.may_be_wild or
                (target.is_package and not target.has_all)):
            return None
        for name, kind in self.visible(target):
            if kind[0] == "dyn" or name.startswith("_"):
                continue
            if target.has_all and name not in target.all_names:
                continue
            if kind[0] == "patched" or \
                    kind[0] == "module" and name in (
                        m.name for m in self.modules):
                continue
            module.exports[name] = kind
            module.refs.append((name, kind))
        for child in target.children:
            if target.has_all and child.tail in target.all_names:
                module.exports[child.tail] = ("module", child)
                module.refs.append((child.tail, ("module", child)))
        return f"from {self.source(module, target)} import *"

    def item_class_import(self, module):
        target = self.choose(module)
        made = target and self.statement(module, target)
        if not made:
            return None
        number = self.next()
        self.bind(module, f"K{number}", ("holder", [b[0] for b in made[1]]))
        return f"class K{number}:\n    {made[0]}"

    def item_function_import(self, module):
        target = self.choose(module)
        made = target and self.statement(module, target)
        if not made:
            return None
        number = self.next()
        text, _, refs = made
        use = self.use(self.random.choice(refs), True)
        if self.chance(20) and not self.may_be_wild:
            names = ", ".join(sorted({name for name, _ in made[1]}))
            text = f"global {names}\n    {text}"
        self.bind(module, f"g{number}", ("func",))
        return f"def g{number}():\n    {text}\n    return {use}"

    def item_call(self, module):
        target = self.choose(module)
        if target is None:
            return None
        number = self.next()
        name = f"n{number}"
        self.bind(module, name, ("module", target))
        form = self.random.choice((
            "import importlib\n{0} = importlib.import_module({1!r})",
            "from importlib import import_module as _im\n{0} = _im({1!r})",
            "{0} = __import__({1!r}, fromlist=['x'])",
            "exec('import {1} as {0}')",
            "exec('import {1} as {0}', globals())",
            "_d = {{'__name__': 'x'}}\n"
            "exec('import {1} as {0}', _d)\n{0} = _d['{0}']",
        ))
        return form.format(name, target.name)

    # Uses

    def use(self, ref, in_function):
        expression, kind = ref
        pick = self.random.choice
        if kind[0] == "func":
            return f"{expression}()"
        if kind[0] == "class":
            return pick((f"{expression}.tag", f"{expression}().tag",
                         f"{expression}", f"{expression}.__name__"))
        if kind[0] == "late" and in_function:
            return f"{expression}()"
        if kind[0] == "module":
            names = [n for n in self.visible(kind[1]) if in_function == 2
                     or n[1][0] not in ("patched", "late")]
            if names and self.chance(80):
                name, inner = pick(names)
                return self.use((f"{expression}.{name}", inner), in_function)
            return f"{expression}"
        return expression

    def item_value(self, module):
        """A constant computed from what is imported."""
        number = self.next()
        if not module.refs:
            return None
        uses = [self.use(self.random.choice(module.refs), False)
                for _ in range(self.random.randint(1, 2))]
        letter = "\u00e9" if self.chance(10) else "W"
        self.bind(module, f"{letter}{number}", ("any",))
        return f"{letter}{number} = ({', '.join(uses)},)"

    def item_class(self, module):
        number = self.next()
        classes = [r for r in module.refs if r[1][0] == "class"]
        base = ""
        if classes and self.chance(70):
            base = f"({self.random.choice(classes)[0]})"
        self.bind(module, f"D{number}", ("class",))
        return f"class D{number}{base}:\n    tag = {number}"

    def item_function(self, module):
        number = self.next()
        refs = module.refs or [(module.early, ("int",))]
        use = self.use(self.random.choice(refs), True)
        self.bind(module, f"f{number}", ("func",))
        form = self.random.choice((
            "def f{0}():\n    return {1}",
            "f{0} = lambda: {1}",
            "def f{0}():\n    return [{1} for _ in range(2)]",
            "def f{0}():\n    def inner():\n        return {1}\n"
            "    return inner()",
            "def f{0}():\n    return eval({1!r})",
        ))
        return form.format(number, use)

    def plain_names(self, module):
        return [r for r in module.refs
                if "." not in r[0] and r[0] in module.exports]

    def item_rebind(self, module):
        """The name of an import becomes another value, or goes."""
        names = [r for r in self.plain_names(module) if r[0][0] in "nz"]
        if not names:
            return None
        name, kind = self.random.choice(names)
        number = self.next()
        module.refs = [r for r in module.refs if r[0] != name]
        module.late_refs = [r for r in module.late_refs if r[0] != name]
        form = self.random.choice((
            "{0} = {1}", "del {0}", "del {0}\n{0} = {1}",
            "class {0}:\n    tag = {1}", "def {0}():\n    return {1}",
            "globals()['{0}'] = {1}", "del globals()['{0}']",
            "n{1} = {0}\n{0} = n{1}", "n{1} = {0}\ndel {0}",
            "for {0} in (1, {1}):\n    pass",
        ))
        if form.startswith("del") and form.count("{0}") == 1 or \
                form.endswith("del {0}"):
            del module.exports[name]
        else:
            module.exports[name] = ("any",)
        if form.startswith("n{1}"):
            self.bind(module, f"n{number}", kind)
        return form.format(name, number)

    def item_names(self, module):
        """globals() and its kin, read in the body."""
        names = self.plain_names(module)
        if not names:
            return None
        name = self.random.choice(names)[0]
        number = self.next()
        self.bind(module, f"W{number}", ("any",))
        form = self.random.choice((
            "globals()['{0}']", "locals()['{0}']", "vars()['{0}']",
            "'{0}' in globals()", "globals().get('{0}')", "'{0}' in dir()",
            "eval('{0}')", "dict(globals())['{0}']",
            "[k for k in dir() if k == '{0}']",
            "{{**globals()}}['{0}']", "globals().copy()['{0}']",
            "[v for k, v in list(vars().items()) if k == '{0}']",
            "__import__('sys').modules[__name__].{0}",
        ))
        return f"W{number} = " + form.format(name)

    def item_global_function(self, module):
        names = [r for r in self.plain_names(module) if r[0][0] in "nz"]
        if not names:
            return None
        name = self.random.choice(names)[0]
        number = self.next()
        module.refs = [r for r in module.refs if r[0] != name]
        module.late_refs = [r for r in module.late_refs if r[0] != name]
        module.exports[name] = ("any",)
        form = self.random.choice((
            "def _s():\n    global {0}\n    {0} = {1}\n_s()",
            "def _s():\n    global {0}\n    del {0}\n_s()\n{0} = {1}",
            "def _s():\n    globals()['{0}'] = {1}\n_s()",
            "def _s(v):\n    global {0}\n    {0} = v\n_s(({0}, {1}))",
        ))
        return form.format(name, number)

    def item_getattr(self, module):
        """Module __getattr__, once, at the end."""
        number = self.next()
        if "__getattr__" in "".join(module.blocks) or module.name == "__main__":
            return None
        children = [c for c in module.children if c.done and not c.broken]
        if children and self.chance(60):
            tail = self.random.choice(children).tail
            if tail not in module.exports:
                module.exports[tail] = ("dyn",)
            return (f"def __getattr__(name):\n    if name == {tail!r}:\n"
                    "        import importlib\n        return importlib."
                    f"import_module('.{tail}', __name__)\n"
                    "    raise AttributeError(name)")
        module.exports[f"y{number}"] = ("dyn",)
        return (f"def __getattr__(name):\n    if name == 'y{number}':\n"
                f"        return {number}\n    raise AttributeError(name)")

    def item_update(self, module):
        """The names of another module, by hand instead of by a star."""
        modules = [r for r in module.refs if r[1][0] == "module"
                   and not r[1][1].replaced and not r[1][1].is_package
                   and r[1][1].top != module.top]
        if not modules or self.may_be_wild:
            return None
        expression, (_, target) = self.random.choice(modules)
        for name, kind in self.visible(target):
            if kind[0] in ("int", "class", "func", "any"):
                self.bind(module, name, kind)
        return self.random.choice((
            "globals().update({{k: v for k, v in vars({0}).items() "
            "if k[0] != '_'}})",
            "for _k in dir({0}):\n    if _k[0] != '_':\n"
            "        globals()[_k] = getattr({0}, _k)",
            "for _k, _v in vars({0}).items():\n    if _k[0] != '_':\n"
            "        globals().setdefault(_k, _v)",
        )).format(expression)

    def item_all(self, module):
        """`from .x import __all__` with its star, as many packages have."""
        lower = [m for m in self.lower(module) if m.has_all
                 and not m.replaced and not m.is_namespace]
        if not lower or self.may_be_wild or module.name == "__main__":
            return None
        target = self.random.choice(lower)
        source = self.source(module, target)
        for name in target.all_names:
            if name in target.exports and target.exports[name][0] in (
                    "int", "class", "func", "any"):
                self.bind(module, name, target.exports[name])
        return self.random.choice((
            "from {0} import *\nfrom {0} import __all__",
            "from {0} import __all__\nfrom {0} import *",
            "from {0} import *\nfrom {0} import __all__ as _a{1}\n"
            "__all__ = list(_a{1})",
        )).format(source, self.next())

    def item_class_of_module(self, module):
        """A module whose type is another than a module's."""
        if module.name == "__main__" or self.may_be_wild:
            return None
        number = self.next()
        module.exports[f"y{number}"] = ("dyn",)
        return (f"import sys, types\nclass _M{number}(types.ModuleType):\n"
                f"    y{number} = property(lambda self: {number})\n"
                f"sys.modules[__name__].__class__ = _M{number}")

    def item_many(self, module):
        """So many names that arguments take more than a byte."""
        target = self.choose(module)
        if target is None or target.replaced or target.is_namespace:
            return None
        number = self.next()
        names = [f"n{number}{at:03}" for at in range(300)]
        self.bind(module, names[0], ("int",))
        self.bind(module, names[290], ("int",))
        used = f"def f{number}():\n    return {names[7]}, {names[280]}"
        self.bind(module, f"f{number}", ("func",))
        return (f"from {self.source(module, target)} import " + ", ".join(
            f"{target.early} as {name}" for name in names) + "\n" + used)

    ITEMS = (
        (30, item_import), (4, item_conditional), (5, item_guarded),
        (3, item_missing), (3, item_star), (2, item_class_import),
        (4, item_function_import), (3, item_call), (8, item_value),
        (5, item_class), (10, item_function), (4, item_rebind),
        (4, item_names), (2, item_global_function), (1, item_getattr),
        (2, item_broken), (3, item_for_effect),
        (2, item_update), (2, item_all), (1, item_class_of_module),
        (1, item_many),
    )

    def items(self, module, count):
        weights = [weight for weight, _ in self.ITEMS]
        for _ in range(count):
            item = self.random.choices(self.ITEMS, weights)[0][1]
            block = item(self, module)
            if block:
                module.blocks.append(block)

    # Whole modules

    def back_edges(self, module):
        """Imports against the rank: of the module's own packages, which have
        begun before it in any order; or, where the statement is sure to be
        deferred, of anything."""
        for target in module.ancestors():
            if target.is_namespace or not self.chance(25):
                continue
            number = self.next()
            if self.chance(60):
                source = self.source(module, target)
                module.blocks.append(
                    f"from {source} import {target.early} as n{number}")
                module.late_refs.append((f"n{number}", ("int",)))
            else:
                module.blocks.append(f"import {target.name} as z{number}")
                module.late_refs.append((f"z{number}.{target.early}",
                                         ("int",)))
        level = self.program.levels.get(module.top)
        effects = any(not block.startswith(
            ("import", "from", "def", "class", "V", "E", "W", "C", "D", "f"))
            or "globals()" in block or "_s(" in block or "add(" in block
            for block in module.blocks)
        if effects or not self.may_be_wild or not self.chance(30):
            return
        if any("contextlib" in b or "import *" in b for b in module.blocks):
            return
        later = [m for m in self.modules
                 if not m.done and not m.is_namespace and m is not module
                 and m not in module.ancestors() and not m.broken
                 and (level == "full" or m.top != module.top)
                 and self.program.levels.get(m.top) != "eager"]
        if not later:
            return
        target = self.random.choice(later)
        number = self.next()
        self.program.cycles = True
        block, use = self.random.choice((
            (f"import {target.name} as n{number}", f".{target.early}"),
            (f"from {target.name} import {target.early} as n{number}", ""),
        ))
        module.blocks.append(block)
        module.blocks.append(f"def l{number}():\n    return n{number}{use}")
        module.exports[f"l{number}"] = ("late",)

    def all_block(self, module):
        names = [n for n, kind in self.visible(module)
                 if kind[0] != "dyn" and "." not in n]
        if not names:
            return
        count = self.random.randint(1, len(names))
        module.all_names = sorted(self.random.sample(names, count))
        if self.chance(40):
            module.all_names += [c.tail for c in module.children if c.done
                                 and not c.broken and not c.clash
                                 and c.tail not in module.exports]
        module.has_all = True
        module.blocks.append(f"__all__ = {module.all_names!r}")

    def write(self, module):
        if module.is_namespace:
            module.done = True
            return
        number = module.number
        module.exports[module.early] = ("int",)
        module.blocks.append(f"{module.early} = {number}")
        self.bind(module, f"C{number}", ("class",))
        module.blocks.append(f"class C{number}:\n    tag = {number}")
        if self.chance(40):
            module.exports[module.patched] = ("patched",)
            module.exports[f"p{number}"] = ("late",)
            module.blocks.append(f"{module.patched} = {number}\n"
                                 f"def p{number}():\n    return P{number}")
        if module.broken:
            self.write_broken(module)
            return
        self.items(module, self.random.randint(0, 7))
        if module.is_package:
            self.clash(module)
            self.hand_on(module)
        if not self.may_be_wild and self.chance(15):
            module.effects.add(module.name)
            module.blocks.append(self.random.choice((
                "import registry\nregistry.add(__name__)",
                "from registry import add\nadd(__name__)",
                "import registry\n_ = registry.add(__name__)",
                "from registry import add\n@add\nclass Registered:\n"
                "    pass",
            )))
        if not module.is_package and self.chance(4):
            self.replace(module)
        else:
            if self.chance(15):
                self.all_block(module)
            self.back_edges(module)
        module.done = True

    def write_broken(self, module):
        module.done = True
        module.blocks.append(self.random.choice((
            "raise ValueError('broken')", "import nosuch",
            "raise ImportError('broken')", "None.attribute", "1 / 0",
            "import sys\nsys.nosuch", "raise AttributeError('broken')",
            "from sys import nosuch")))

    def clash(self, module):
        """`from .x import x`: a name of the package that is a submodule's."""
        children = [m for m in module.children if m.done and not m.broken
                    and not m.is_package and not m.replaced]
        if not children or self.may_be_wild or not self.chance(12):
            return
        child = self.random.choice(children)
        if any(child.tail in block for m in self.modules if m is not child
               for block in m.blocks):
            return
        child.clash = True
        if self.chance(50):
            child.blocks.insert(1, f"def {child.tail}():\n    return 'clash'")
            module.blocks.append(f"from .{child.tail} import {child.tail}")
        else:
            module.blocks.append(
                f"from .{child.tail} import C{child.number} as {child.tail}")

    def hand_on(self, module):
        """What main may change below a package, under the package's name."""
        for child in module.children:
            if child.patched in child.exports and not child.broken and \
                    not child.clash and not child.replaced and \
                    self.chance(40):
                module.blocks.append(
                    f"from .{child.tail} import {child.patched}")
                module.exports[child.patched] = ("patched",)

    def replace(self, module):
        module.replaced = True
        module.exports = {name: kind for name, kind in module.exports.items()
                          if name in (module.early, f"C{module.number}")}
        if self.chance(30):
            module.blocks.append(
                "import sys, types\n_m = types.ModuleType(__name__)\n" +
                self.random.choice((
                    "vars(_m).update(globals())",
                    "_m.__dict__.update(vars(sys.modules[__name__]))",
                    f"_m.{module.early} = {module.early}\n"
                    f"_m.C{module.number} = C{module.number}"))
                + "\nsys.modules[__name__] = _m")
            return
        module.blocks.append(
            "import sys\nclass Box:\n"
            f"    {module.early} = {module.number}\n"
            f"    C{module.number} = C{module.number}\n"
            "sys.modules[__name__] = Box()")

    # The main program

    def probe(self, expression):
        return f"show({self.next()}, lambda: {expression})"

    def module_probe(self, expression, module):
        names = self.visible(module)
        if not names or module.replaced:
            return self.probe(f"{expression}.{module.early}"
                              if names else expression)
        name, kind = self.random.choice(names)
        form = self.random.choice((
            "{0}.{1}", "getattr({0}, '{1}')", "getattr({0}, '{1}', None)",
            "hasattr({0}, '{1}')", "hasattr({0}, 'nosuch')", "{0}.nosuch",
            "vars({0})['{1}']", "{0}.__dict__['{1}']",
            "{0}.__dict__.get('{1}')", "'{1}' in vars({0})",
            "'{1}' in {0}.__dict__", "'{1}' in dir({0})",
            "own_names(dir({0}))", "own_names(vars({0}))", "{0}.__name__",
            "type({0}.{1})", "own_values(vars({0}))",
            "own_names(list({0}.__dict__))",
            "{0} is __import__('sys').modules['{2}']", "{0}",
            "dict(vars({0}))['{1}']", "{0}.__spec__.name",
            "__import__('operator').attrgetter('{1}')({0})",
            "__import__('copy').copy(vars({0}))['{1}']",
            "own_names(__import__('inspect').getmembers({0}))",
            "{0} is __import__('importlib').import_module('{2}')",
        ))
        if kind[0] == "dyn" and "__dict__" in form + "vars":
            form = "{0}.{1}"
        if kind[0] in ("func", "late") and self.chance(60):
            form = "{0}.{1}()"
        return self.probe(form.format(expression, name, module.name))

    def main_probe(self, main):
        expression, kind = self.random.choice(main.late_refs)
        if kind[0] == "module" and self.chance(75):
            return self.module_probe(expression, kind[1])
        if kind[0] == "holder":
            return self.probe(f"{expression}.{kind[1][0]}")
        if kind[0] == "late":
            return self.probe(f"{expression}()")
        form = "{0}"
        if "." not in expression:
            form = self.random.choice((
                "{0}", "{0}", "{0}", "globals()['{0}']", "eval('{0}')",
                "'{0}' in globals()", "vars().get('{0}')", "type({0})",
                "globals().get('{0}')", "own_names(globals())",
                "own_values(globals())",
                "__import__('sys').modules['__main__'].{0}",
                "__import__('__main__').__dict__['{0}']"))
        if kind[0] == "class" and self.chance(25):
            form = self.random.choice((
                "__import__('pickle').loads(__import__('pickle').dumps({0}))",
                "isinstance({0}(), {0})", "{0}.__mro__",
                "__import__('sys').modules[{0}.__module__].__name__"))
        if form == "{0}":
            return self.probe(self.use((expression, kind), 2))
        return self.probe(form.format(expression))

    def main_change(self, main):
        """A change by main of what it imported, then a look at it."""
        modules = [r for r in main.late_refs if r[1][0] == "module"
                   and r[1][1].patched in r[1][1].exports
                   and not r[1][1].replaced]
        if not modules:
            return
        expression, (_, module) = self.random.choice(modules)
        form = self.random.choice((
            "{0}.Q{1} = {1}\nshow({1}, lambda: ({0}.Q{1}, "
            "'Q{1}' in vars({0})))",
            "setattr({0}, 'Q{1}', {1})\nshow({1}, lambda: {0}.Q{1})",
            "{0}.{2} = {1}\nshow({1}, lambda: {0}.{2})",
            "del {0}.{2}\nshow({1}, lambda: hasattr({0}, '{2}'))",
            "vars({0})['{2}'] = {1}\nshow({1}, lambda: {0}.{2})",
            "{0}.__dict__['{2}'] = {1}\nshow({1}, lambda: {0}.{2})",
            "show({1}, lambda: {0}.__dict__.pop('{2}'))",
            "show({1}, lambda: {0}.__dict__.setdefault('{2}', 1))",
            "show({1}, lambda: delattr({0}, '{2}'))",
            "vars({0}).update({2}={1})",
        ))
        main.blocks.append(form.format(expression, self.next(),
                                       module.patched))
        for other, kind in main.late_refs:
            if kind[0] == "patched":
                main.blocks.append(self.probe(other))
        for path in {module, *module.ancestors()}:
            for other, kind in main.late_refs:
                if kind == ("module", path) and not path.is_namespace:
                    main.blocks.append(self.probe(
                        f"getattr({other}, '{module.patched}', 'gone')"))
                    if path is module:
                        main.blocks.append(self.probe(
                            f"{other}.p{module.number}()"))

    def main_surgery(self, main):
        """A module taken from sys.modules and imported again, or reloaded."""
        modules = [r for r in main.late_refs if r[1][0] == "module"
                   and r[1][1].exports and not r[1][1].replaced]
        if not modules or self.may_be_wild:
            return
        expression, (_, module) = self.random.choice(modules)
        number = self.next()
        forms = (
            "import sys\n_old = {0}\ndel sys.modules['{2}']\n"
            "import {2} as _new\n"
            "show({1}, lambda: (_new is _old, _new.{3}, {0} is _old))",
            "import sys\n_old = {0}\nsys.modules.pop('{2}')\n"
            "import {2}\nshow({1}, lambda: ({0} is _old, {0}.{3}))",
            "import importlib\n"
            "show({1}, lambda: importlib.reload({0}) is {0})",
            "import importlib\n_old = {0}\nimportlib.reload(_old)\n"
            "show({1}, lambda: (_old is {0}, {0}.{3}))",
        )
        form = self.random.choice(forms[2:] if module.is_package else forms)
        main.blocks.append(form.format(expression, number, module.name,
                                       module.early))

    def main_threads(self, main):
        """First uses by several threads at once."""
        if self.may_be_wild:
            return
        uses = [self.use(self.random.choice(main.late_refs), True)
                for _ in range(self.random.randint(2, 4))]
        number = self.next()
        lambdas = ", ".join(f"lambda: {use}" for use in uses)
        main.blocks.append(
            f"together({number}, [{lambdas}])")

    def main_late_path(self, main):
        number = self.next()
        self.program.files[f"late/late{number}.py"] = [
            f"E{number} = {number}"]
        main.blocks.append(
            "import sys, os\nsys.path.insert(0, os.path.join("
            "os.path.dirname(__file__), 'late'))\n"
            f"import late{number} as z{number}\n"
            f"from late{number} import E{number}")
        main.blocks.append(self.probe(f"z{number}.E{number} + E{number}"))

    def main(self):
        main = Module("__main__", None, self.next())
        main.blocks.append(f"{main.early} = {main.number}")
        self.items(main, self.random.randint(3, 14))
        if not main.late_refs:
            for module in self.modules:
                if not module.broken and not module.is_namespace:
                    name = f"z{self.next()}"
                    main.blocks.append(f"import {module.name} as {name}")
                    self.bind(main, name, ("module", module))
        for _ in range(self.random.randint(3, 14)):
            if main.late_refs:
                main.blocks.append(self.main_probe(main))
            if self.chance(7):
                self.items(main, 1)
            if self.chance(3) and main.late_refs:
                ref = self.random.choice(main.late_refs)
                probe = self.probe(self.use(ref, 2))
                main.blocks.append(self.random.choice((
                    "collect()", f"toggle(False)\n{probe}\ntoggle(True)",
                    "toggle(True)", f"toggle(False)\ntoggle(True)\n{probe}")))
        for percent, change in ((25, self.main_change), (8, self.main_surgery),
                                (6, self.main_threads),
                                (4, self.main_late_path)):
            if main.late_refs and self.chance(percent):
                change(main)
        packages = [r for r in main.late_refs if r[1][0] == "module"
                    and r[1][1].children and not self.may_be_wild]
        for expression, kind in packages:
            if self.chance(20):
                tail = self.random.choice(kind[1].children).tail
                main.blocks.append(self.probe(self.random.choice((
                    "{0}.{1}", "hasattr({0}, '{1}')",
                    "getattr({0}, '{1}', None)")).format(expression, tail)))
        for name in sorted(main.effects):
            main.blocks.append(self.probe(
                f"__import__('registry').ITEMS.count({name!r})"))
        for expression, kind in main.late_refs:
            if self.chance(30):
                main.blocks.append(self.probe(expression))
        return main

    def generate(self):
        self.plan()
        for module in self.modules:
            self.write(module)
        self.program.files["registry.py"] = [
            "ITEMS = []\ndef add(item):\n    ITEMS.append(item if "
            "isinstance(item, str) else item.__module__)\n    return item"]
        main = self.main()
        for module in self.modules:
            if not module.is_namespace:
                self.program.files[module.path()] = module.blocks
        self.program.files["main.py"] = main.blocks
        return self.program


def generate(seed):
    return Generator(seed).generate()

"""Small Python programs from a seed, for differential.py.

Responsible for programs that mean the same in whatever order their module
bodies run: a body uses only modules of a lower rank and none of them prints;
what is imported against the rank is used in functions alone. Leaves running
and comparing to differential.py. A program is blocks of text, so that it can
be shrunk by leaving blocks out.
"""

from bodies import Bodies
from model import Module

LEVELS = ("full", "full", "full", "outer", "outer", None, None, "eager")


class Generator(Bodies):
    # The tree

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
            if self.chance(4) and not self.may_be_wild:
                name = self.random.choice(self.modules).name
                self.program.ignored.append(
                    (self.random.choice(("name", "pkg")), name))
            if where == 0:
                self.program.zipped.append(top.name)
            elif where == 1:
                self.program.folders.append("other")
                for module in self.modules:
                    if module.top == top.name:
                        module.folder = "other/"

    # Whole modules

    def back_edges(self, module):
        """Imports against the rank: of the module's own packages, which have
        begun before it in any order; or, where the statement is sure to be
        deferred, of anything. Not below a namespace package: to find what is
        in one that is nested, its parents are loaded."""
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
                 and self.program.levels.get(m.top) != "eager"
                 and not any(a.is_namespace for a in m.ancestors())]
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
            "exec('import {3} as n{1}\\ndef x{1}():\\n    return n{1}', "
            "vars({0}))\nshow({1}, lambda: ({0}.x{1}(), {0}.n{1}))",
            "exec('from {3} import *\\nimport {3} as n{1}\\n"
            "x{1} = n{1}.__name__', {0}.__dict__)\n"
            "show({1}, lambda: ({0}.x{1}, {0}.n{1}))",
        ))
        other = self.random.choice([m for m in self.modules if m.done and
                                    not m.broken and not m.is_namespace and
                                    not m.replaced] or [module])
        if self.may_be_wild and "exec" in form:
            return
        main.blocks.append(form.format(expression, self.next(),
                                       module.patched, other.name))
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
        whole = ("import sys\n{0}.{3}\n_old = [k for k in sys.modules if "
                 "k == '{2}' or k.startswith('{2}.')]\n"
                 "for _k in _old:\n    del sys.modules[_k]\n"
                 "collect()\nimport {2} as _new\n"
                 "show({1}, lambda: (_new.{3}, _new is {0}))")
        form = self.random.choice(forms[2:] if module.is_package else forms)
        if module.parent is None and not main.effects and self.chance(30):
            form = whole
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

"""What a module's body does with its imports, for programs.py.

Responsible for uses, for names rebound and deleted, and for the looks at a
namespace that eager code and ours must see alike. A body uses nothing that
its rank does not allow: statements.py keeps those apart, in late_refs.
"""

from statements import Statements


class Bodies(Statements):
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
        if module.name == "__main__" or \
                "__getattr__" in "".join(module.blocks):
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

    ITEMS = {
        "import": 30, "conditional": 4, "guarded": 5, "missing": 3, "star": 3,
        "class_import": 2, "function_import": 4, "call": 3, "broken": 2,
        "for_effect": 3, "stdlib": 3, "many": 1, "value": 8, "class": 5,
        "function": 10, "rebind": 4, "names": 4, "global_function": 2,
        "getattr": 1, "update": 2, "all": 2, "class_of_module": 1,
    }

    def items(self, module, count):
        names, weights = list(self.ITEMS), list(self.ITEMS.values())
        for _ in range(count):
            item = self.random.choices(names, weights)[0]
            block = getattr(self, "item_" + item)(module)
            if block:
                module.blocks.append(block)

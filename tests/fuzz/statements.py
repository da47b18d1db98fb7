"""Import statements of every form, for programs.py.

Responsible for each statement's text and for what it binds in the module that
is being written, so that what is written later can use it. Leaves the tree of
modules and the order of ranks to programs.py.
"""

import random

from model import STDLIB, Program


def indent(text):
    return "".join("    " + line + "\n" for line in text.splitlines())


class Statements:
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

    def item_stdlib(self, module):
        statement, name, use = self.random.choice(STDLIB)
        if "*" in statement and self.may_be_wild:
            return None
        number = self.next()
        bound = name.format(f"n{number}")
        if "{" in name or self.chance(50):
            module.exports[bound] = ("any",)
        module.refs.append((use.format(bound), ("any",)))
        module.late_refs.append((use.format(bound), ("any",)))
        return statement.format(bound)

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

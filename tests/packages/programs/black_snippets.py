# needs: black
# packages: black blib2to3
"""Snippets that a program generates are formatted, as code generators do."""
import black

SNIPPETS = [
    "def f(a,b = 2):\n  return { 'a':a,'b' : b }",
    "async def g():\n    async with a() as b, c() as d:\n        await b",
    "x = [1,\n2,]",
    "match x:\n  case {'a': 1}: pass",
]

mode = black.FileMode(target_versions={black.TargetVersion.PY310})
for snippet in SNIPPETS:
    print(black.format_str(snippet, mode=mode), end="")
print(black.format_str("print( 'x' )", mode=black.FileMode()), end="")
try:
    black.format_str("def (:", mode=mode)
except black.InvalidInput as error:
    print(str(error).splitlines()[0])

"""TYPE_CHECKING imports, get_type_hints over modules, dataclasses, enum,
TypedDict, Protocol, NamedTuple, Annotated, pickling.
"""
import copy
import dataclasses
import inspect
import os
import pickle
import subprocess
import sys
import typing

from hintapp import entities, services
from hintapp.entities import Item, Kind, Point, Row


def show(hints):
    return {k: str(v) for k, v in sorted(hints.items())}


def main():
    print(show(typing.get_type_hints(Item)))
    print(show(typing.get_type_hints(services.Service.find)))
    print(show(typing.get_type_hints(entities)))
    try:
        typing.get_type_hints(services.Service.hidden)
    except NameError as exc:
        print(exc)
    print(show(typing.get_type_hints(Row)), show(typing.get_type_hints(Point)))
    print(
        [
            (f.name, f.type if isinstance(f.type, str) else f.type.__name__)
            for f in dataclasses.fields(Item)
        ]
    )
    item = Item("a", kind=Kind.BIG)
    print(item, dataclasses.replace(item, name="b"), dataclasses.asdict(item))
    print(
        isinstance(services.Service(), services.Finder),
        inspect.signature(services.Service.find),
    )
    print(
        pickle.loads(pickle.dumps([item, Point(1, 2), Kind.SMALL]))
        == [item, Point(1, 2), Kind.SMALL],
        copy.deepcopy(item) == item,
    )
    code = (
        "import sys, pickle; sys.path.insert(0, sys.argv[1]); "
        "print(pickle.loads(sys.stdin.buffer.read()))"
    )
    out = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            os.path.dirname(os.path.dirname(entities.__file__)),
        ],
        input=pickle.dumps({"p": Point(3, 4), "k": Kind.BIG, "i": item}),
        capture_output=True,
    )
    print(out.stdout.decode(), out.returncode)
    print(
        inspect.getsource(services.Service.find).strip().splitlines()[0],
        inspect.getmodule(Item).__name__,
    )
    print(
        typing.get_type_hints(services.handle, include_extras=True),
        services.Box[int],
        services.Box[str]("x"),
    )


if __name__ == "__main__":
    main()
    print("done")

"""An application whose __init__ imports submodules for effect: decorators,
metaclass, __init_subclass__, entry in abc, circular.
"""

import shopapp
from shopapp import models, run
from shopapp.plugins import base


def main():
    print(
        sorted(base.COMMANDS),
        sorted(models.Model.tables),
        sorted(c.__name__ for c in base.Exporter.kinds.values()),
    )
    print(run("list"), run("export", "csv"), run("export", "xml"))
    print(
        sorted(c.__name__ for c in models.Model.__subclasses__()),
        issubclass(dict, base.Mappingish),
        issubclass(set, base.Mappingish),
    )
    print(shopapp.signals.SENT, models.order.Order().owner().orders())
    print(
        base.convert.dispatch(bytes)(b"x"), base.convert(3), base.convert([1])
    )


if __name__ == "__main__":
    main()
    print("done")

from ..models import Model
from .base import Exporter, command


@command
def list_():
    return sorted(Model.tables)


@command
def export(kind):
    return Exporter.kinds[kind]().run(
        [(n, len(n)) for n in sorted(Model.tables)]
    )

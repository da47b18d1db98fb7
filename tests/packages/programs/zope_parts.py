# needs: python3-zope.component python3-zope.interface
# packages: zope
"""Interfaces and components: declarations, verification, adapters, utilities,
subscribers, events, hooks, invariants and pickling.
"""
import pickle

import zope.component
import zope.component.globalregistry
import zope.event
import zope.interface.adapter
import zope.interface.verify
from zope.component import adapter, getMultiAdapter, getUtility
from zope.component import handle, provideAdapter, provideHandler
from zope.component import provideUtility, queryAdapter
from zope.component.factory import Factory
from zope.component.hooks import getSite, setHooks, setSite
from zope.component.interfaces import IFactory, ISite
from zope.interface.interfaces import ComponentLookupError, IObjectEvent
from zope.component.globalregistry import BaseGlobalComponents
from zope.interface import Attribute, Interface, Invalid, alsoProvides
from zope.interface import classImplements, directlyProvides, implementedBy
from zope.interface import implementer, invariant, noLongerProvides
from zope.interface import providedBy, ro, taggedValue
from zope.interface.common import collections as common_collections
from zope.interface.common.mapping import IReadMapping
from zope.interface.declarations import ObjectSpecification
from zope.interface.exceptions import BrokenImplementation, DoesNotImplement
from zope.interface.interface import InterfaceClass, Method
from zope.interface.registry import Components


class IShape(Interface):
    taggedValue("unit", "cm")
    sides = Attribute("How many.")

    def area(scale=1):
        "The area."

    @invariant
    def positive(shape):
        if shape.sides < 0:
            raise Invalid("negative")


class IBox(IShape):
    def volume():
        "The volume."


class IPainter(Interface):
    pass


@implementer(IBox)
class Box:
    def __init__(self, sides=4):
        self.sides = sides

    def area(self, scale=1):
        return scale * 2

    def volume(self):
        return 8


@implementer(IPainter)
@adapter(IShape)
class Painter:
    def __init__(self, shape):
        self.shape = shape

    def __repr__(self):
        return f"Painter({self.shape.sides})"


@implementer(IObjectEvent)
class Made:
    def __init__(self, object):
        self.object = object


@implementer(ISite)
class Site:
    def __init__(self):
        self.registry = Components("site", (
            zope.component.getGlobalSiteManager(),))

    def getSiteManager(self):
        return self.registry


def interfaces():
    box = Box()
    print(IShape.providedBy(box), IBox.implementedBy(Box), IShape in
          list(IBox.__bases__), sorted(IBox), sorted(IBox.names(all=True)),
          IBox.getTaggedValue("unit"), IShape["area"].getSignatureString(),
          isinstance(IShape["area"], Method))
    print(zope.interface.verify.verifyClass(IBox, Box),
          zope.interface.verify.verifyObject(IShape, box))
    half = type("Half", (), {"sides": 1})()
    directlyProvides(half, IShape)
    for bad in (object(), half):
        try:
            zope.interface.verify.verifyObject(IShape, bad)
        except (BrokenImplementation, DoesNotImplement, Invalid) as error:
            print(type(error).__name__)
    errors = []
    try:
        IShape.validateInvariants(Box(-1), errors)
    except Invalid as error:
        print("invalid", errors, error.args[0] == errors)
    alsoProvides(box, IPainter)
    print([i.__name__ for i in providedBy(box)], IPainter.providedBy(box))
    noLongerProvides(box, IPainter)
    classImplements(dict, IReadMapping)
    print(IReadMapping.providedBy({}), [i.getName() for i in ro.ro(IBox)],
          common_collections.ISequence.providedBy([]), pickle.loads(
              pickle.dumps(IBox)) is IBox, implementedBy(Box).__name__)
    made = InterfaceClass("IMade", (IShape,), {"x": Attribute("x")})
    print(made.isOrExtends(IShape), made.get("x").getName(), ObjectSpecification
          is not None, hash(made) == hash(made), made < IShape)


def components():
    provideAdapter(Painter)
    provideAdapter(lambda a, b: ("multi", a.sides, b), (IShape, Interface),
                   IPainter, "two")
    provideUtility(Box(7), IShape, "seven")
    provideHandler(lambda event: print("made", event.object.sides),
                   (IObjectEvent,))
    provideHandler(lambda shape, event: print("both", shape.sides),
                   (IShape, IObjectEvent))
    print(IPainter(Box(3)), queryAdapter(Box(), IPainter, "none", 0),
          getMultiAdapter((Box(5), 1), IPainter, "two"))
    print(getUtility(IShape, "seven").sides, IPainter(3, "default"),
          [name for name, _ in zope.component.getUtilitiesFor(IShape)])
    zope.event.notify(Made(Box(9)))
    handle(Made(Box(1)))
    for look in (lambda: getUtility(IPainter), lambda: IPainter(3),
                 lambda: zope.component.getAdapter(3, IPainter, "x")):
        try:
            look()
        except (ComponentLookupError, TypeError) as error:
            print(type(error).__name__, error.args[0] == "Could not adapt")
    provideUtility(Factory(Box, "Box", "A box."), IFactory, "box")
    print(zope.component.createObject("box", 6).sides, sorted(
        n for n, _ in zope.component.getFactoriesFor(IShape)))
    setHooks()
    site = Site()
    setSite(site)
    site.registry.registerUtility(Box(2), IShape, "local")
    print(getSite() is site, getUtility(IShape, "local").sides,
          getUtility(IShape, "seven").sides)
    setSite()
    print(zope.component.queryUtility(IShape, "local"), isinstance(
        zope.component.globalregistry.base, BaseGlobalComponents),
        pickle.loads(pickle.dumps(zope.component.getGlobalSiteManager()))
        is zope.component.getGlobalSiteManager())
    registry = zope.interface.adapter.AdapterRegistry()
    registry.register([IShape], IPainter, "", "found")
    registry.subscribe([IShape], None, "heard")
    print(registry.lookup1(IBox, IPainter), registry.subscriptions(
        [IBox], None), registry.lookupAll([IBox], IPainter))


if __name__ == "__main__":
    interfaces()
    components()

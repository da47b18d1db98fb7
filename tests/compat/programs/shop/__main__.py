"""A program in packages: relative imports, a cycle, re-exports, __all__."""
from shop_core import Basket, catalogue, total
from shop_core.prices import *                            # noqa: F403
import shop_core.render.text
import shop_core.render.html as page


def main():
    basket = Basket()
    for name in sorted(catalogue.ITEMS):
        basket.add(name, 2)
    print(total(basket), round_up(1.01), VAT)             # noqa: F405
    print(shop_core.render.text.show(basket))
    print(page.show(basket), shop_core.render.KINDS)
    print(type(basket).__module__, basket == Basket(basket.lines))
    print([name for name in dir(shop_core) if not name.startswith("_")])


main()

class Meta(type):
    def __new__(mcls, name, bases, ns):
        cls = super().__new__(mcls, name, bases, ns)
        if bases:
            cls.tables[name.lower()] = cls
        return cls


class Model(metaclass=Meta):
    tables = {}

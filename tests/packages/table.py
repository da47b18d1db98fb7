"""Tables of records: tab-separated text with a head, sorted by key."""
import csv


def read(path, keys):
    """{key: row}; a key is a tuple of the columns KEYS."""
    if not path.exists():
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        return {tuple(row[key] for key in keys): row
                for row in csv.DictReader(file, delimiter="\t")}


def write(path, columns, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t",
                                lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))


def put(path, columns, keys, row):
    """Put ROW into the table at PATH, in the place of one with its key."""
    rows = read(path, keys)
    rows[tuple(row[key] for key in keys)] = row
    write(path, columns, rows)

# needs: python3-h5py python3-numpy
# packages: h5py numpy
"""A measurement store: groups, compressed and resizable data sets, links,
references, types and the low-level interface, in memory and on disk."""
import io

import h5py
import numpy as np
from h5py import Dataset, File, Group, h5t
from h5py._hl.attrs import AttributeManager
from h5py.h5py_warnings import H5pyWarning


class Seen(list):
    def __call__(self, name, item=None):
        self.append((name, type(item).__name__))


def fill(f):
    run = f.create_group("run/one")
    data = run.create_dataset("x", data=np.arange(12).reshape(3, 4),
                              chunks=(1, 4), compression="gzip", maxshape=(
                                  None, 4), shuffle=True, fletcher32=True)
    data.resize(4, axis=0)
    data.attrs["unit"] = "m"
    data.attrs.create("scale", [1.5, 2.5])
    f["text"] = ["aé", "b"]
    f["soft"] = h5py.SoftLink("/run/one/x")
    f["outer"] = h5py.ExternalLink("absent.h5", "/x")
    f["flag"] = np.array([True, False])
    f["kind"] = np.dtype("f4")
    f.create_dataset("colour", data=1, dtype=h5py.enum_dtype(
        {"red": 0, "blue": 1}))
    f.create_dataset("ref", data=data.ref, dtype=h5py.ref_dtype)
    f.create_dataset("region", data=data.regionref[1:2, :],
                     dtype=h5py.regionref_dtype)
    ragged = f.create_dataset("ragged", (2,), dtype=h5py.vlen_dtype("i4"))
    ragged[0] = [1, 2, 3]
    f.create_dataset("table", data=np.array(
        [(1, 2.5)], dtype=[("id", "i4"), ("v", "f8")]))
    layout = h5py.VirtualLayout(shape=(2,), dtype="i8")
    layout[0:2] = h5py.VirtualSource(data)[0, 0:2]
    f.create_virtual_dataset("virtual", layout)
    for i, name in enumerate(("y", "z")):
        f[name] = np.arange(3) * i
    f["y"].make_scale("length")
    f["z"].dims[0].label = "l"
    f["z"].dims[0].attach_scale(f["y"])


def show(f):
    seen = Seen()
    f.visititems(seen)
    print(seen)
    x = f["run/one/x"]
    print(x.shape, x.chunks, x.compression, x.maxshape, x.fletcher32,
          dict((k, np.asarray(v).tolist()) for k, v in x.attrs.items()))
    print(f["soft"][1, 2:], x[[0, 2], 1], x[x[...] > 8].tolist())
    print(f["text"].asstr()[:].tolist(), f["flag"][:], f["kind"].dtype)
    print(h5py.check_enum_dtype(f["colour"].dtype), f["ragged"][0].tolist(),
          f[f["ref"][()]].name, h5py.check_string_dtype(f["text"].dtype))
    print(f["table"]["v"], f["table"].dtype.names, f["virtual"].is_virtual,
          f["z"].dims[0].keys(), f["z"].dims[0]["length"][:])
    print(f.get("outer", getlink=True).path, f.get("soft", getclass=True),
          f.get("none", "default"), "run" in f, sorted(f))
    print(isinstance(f["run"], Group), isinstance(x.attrs, AttributeManager),
          x.id.get_type().get_class() == h5t.INTEGER, isinstance(x, Dataset))
    for bad in (lambda: f["absent"], lambda: f["outer"],
                lambda: f.create_group("run"), lambda: x[99],
                lambda: f.create_dataset("q", data=[1], compression="zz")):
        try:
            bad()
        except (KeyError, ValueError, IndexError) as error:
            print(type(error).__name__, str(error)[:45])


memory = io.BytesIO()
with File(memory, "w") as made:
    fill(made)
    show(made)
with h5py.File(memory, "r") as read:
    print(read.mode, read["run/one/x"][0].tolist(), read.driver)
with h5py.File("core", "w", driver="core", backing_store=False) as core:
    core["a"] = 1
    core.move("a", "b")
    core.copy("b", "c")
    del core["b"]
    print(list(core), core["c"][()], core.id.valid)
print(bool(core), h5py.is_hdf5("absent"), h5py.h5z.filter_avail(
    h5py.h5z.FILTER_DEFLATE), issubclass(H5pyWarning, Warning))
lower = h5py.h5f.create(b"low.h5", h5py.h5f.ACC_TRUNC)
space = h5py.h5s.create_simple((3,))
print(h5py.h5d.create(lower, b"d", h5t.NATIVE_INT32, space).shape,
      h5py.h5g.GROUP, len(h5py.version.info) > 50)

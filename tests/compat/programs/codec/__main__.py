"""Codecs, ctypes, mmap, struct, zlib: modules that are C, and their Python."""
import array
import binascii
import bz2
import codecs
import ctypes
import ctypes.util
import lzma
import mmap
import struct
import unicodedata
import zlib

from numbers import Number

import helper


class Header(ctypes.BigEndianStructure):
    _fields_ = [("magic", ctypes.c_uint32), ("size", ctypes.c_uint16)]


def main():
    data = array.array("H", range(100)).tobytes()
    for module in (bz2, lzma, zlib):
        packed = module.compress(data)
        print(module.__name__, module.decompress(packed) == data)
    print(binascii.crc32(data), zlib.adler32(data))
    print(bytes(Header(0xCAFEBABE, 7)).hex(), struct.unpack(
        ">IH", bytes(Header(1, 2))))
    print(codecs.encode("uryyb", "rot13"), "\u00fc".encode("idna"),
          "z\u00fcrich".encode("punycode"))
    print(unicodedata.normalize("NFKD", "\u00e9").encode("ascii", "ignore"))
    with open("map", "w+b") as out:
        out.write(data)
        out.flush()
        with mmap.mmap(out.fileno(), 0) as area:
            print(area[:4], area.find(b"\x05\x00"))
    print(ctypes.CDLL(None).abs(-3), issubclass(float, Number))
    print(helper.where())


main()

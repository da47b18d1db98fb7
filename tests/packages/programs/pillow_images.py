# needs: python3-pil
# packages: PIL
"""An image service: formats by name and by content, filters, palettes,
sequences, drawing, metadata, a plug-in of our own, errors."""
import copy
import io
import pickle

import PIL
import PIL.Image
from PIL import (ExifTags, GifImagePlugin, Image, ImageChops, ImageColor,
                 ImageDraw, ImageEnhance, ImageFile, ImageFilter, ImageFont,
                 ImageMath, ImageMorph, ImageOps, ImagePalette, ImageSequence,
                 ImageStat, ImageTransform)
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2


class RawImageFile(ImageFile.ImageFile):
    """A format of one grey line: b'RAWX', the width, the pixels."""

    format = "RAWX"
    format_description = "one line"

    def _open(self):
        width = self.fp.read(5)[4]
        self.mode = "L"
        self._size = width, 1
        self.tile = [("raw", (0, 0, width, 1), 5, ("L", 0, 1))]


Image.register_open("RAWX", RawImageFile, lambda head: head[:4] == b"RAWX")
Image.register_extension("RAWX", ".rawx")


def picture():
    image = Image.new("RGB", (32, 24), "navy")
    pen = ImageDraw.Draw(image)
    pen.ellipse((4, 4, 20, 20), fill=ImageColor.getrgb("hsl(0,100%,50%)"))
    pen.line([(0, 0), (31, 23)], fill="white", width=2)
    pen.text((2, 2), "hi", font=ImageFont.load_default())
    return image


def formats(image):
    for kind in ("PNG", "GIF", "JPEG", "BMP", "TIFF", "PPM", "TGA", "ICO",
                 "WEBP", "PCX", "PDF", "EPS", "SGI", "IM", "JPEG2000"):
        out = io.BytesIO()
        image.save(out, kind)
        out.seek(0)
        if kind in ("PDF", "EPS"):
            print(kind, out.getvalue()[:4])
            continue
        back = Image.open(out)
        print(kind, back.format, back.size, back.mode, back.get_format_mimetype())
        back.load()
    for data in (b"nonsense", b"\x89PNG\r\n\x1a\nbroken"):
        try:
            Image.open(io.BytesIO(data)).load()
        except (PIL.UnidentifiedImageError, OSError, SyntaxError) as error:
            print(type(error).__name__)
    try:
        image.save(io.BytesIO(), "NOPE")
    except KeyError as error:
        print(error)
    print(list(Image.open(io.BytesIO(b"RAWX\x03abc")).getdata()),
          Image.registered_extensions()[".rawx"], ".jp2" in Image.EXTENSION)


def change(image):
    for f in (ImageFilter.BLUR, ImageFilter.GaussianBlur(2),
              ImageFilter.MedianFilter(3), ImageFilter.UnsharpMask()):
        print(f.name, ImageStat.Stat(image.filter(f)).sum)
    print(ImageEnhance.Contrast(image).enhance(2).getpixel((5, 5)),
          ImageOps.autocontrast(image).getextrema(), ImageChops.invert(image)
          .getpixel((0, 0)), ImageOps.fit(image, (8, 8)).size)
    print(image.transform((8, 8), ImageTransform.ExtentTransform(
        (0, 0, 16, 16))).size, image.rotate(45, expand=True).size,
        image.convert("P", palette=Image.Palette.ADAPTIVE, colors=4).getcolors())
    print(image.thumbnail((10, 10)), image.size, image.quantize(3).mode,
          ImageMath.eval("a + 1", a=image.convert("L")).mode)
    print(ImageMorph.LutBuilder(op_name="corner").build_lut()[:3],
          ImagePalette.negative().mode, ImagePalette.ImagePalette().colors)


shown = picture()
formats(shown)
frames = [shown.convert("P"), ImageOps.mirror(shown).convert("P")]
gif = io.BytesIO()
frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:], loop=0)
again = Image.open(gif)
print(again.n_frames, isinstance(again, GifImagePlugin.GifImageFile),
      [f.info.get("duration", 0) for f in ImageSequence.Iterator(again)])
info = PngInfo()
info.add_text("Title", "x")
png = io.BytesIO()
shown.save(png, "PNG", pnginfo=info)
print(Image.open(png).text, ExifTags.TAGS[271], len(ImageFileDirectory_v2()))
exif = shown.getexif()
exif[271] = "maker"
jpg = io.BytesIO()
shown.save(jpg, "JPEG", exif=exif)
print(dict(Image.open(jpg).getexif()), pickle.loads(pickle.dumps(shown)) ==
      copy.copy(shown))
parser = ImageFile.Parser()
parser.feed(jpg.getvalue())
print(parser.close().size)
change(shown)

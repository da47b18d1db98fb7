# needs: python3-openpyxl python3-xlsxwriter python3-reportlab python3-renderpm python3-pypdf2 python3-pypdf
# packages: openpyxl xlsxwriter reportlab PyPDF2 pypdf
"""Reports as spreadsheets and PDF: charts, styles, formulas and rules,
flowables and bar codes by name, pages joined, encrypted, read back."""
import copy
import datetime
import io
import zipfile

import openpyxl
import openpyxl.utils.exceptions
import PyPDF2
import pypdf
import xlsxwriter
from openpyxl.chart import BarChart, PieChart, Reference
from openpyxl.chart.series import DataPoint
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule
from openpyxl.formula import Tokenizer
from openpyxl.formula.translate import Translator
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table as SheetTable
from pypdf.generic import DictionaryObject, NameObject, NumberObject
from PyPDF2.errors import PdfReadError
from reportlab.graphics import renderPDF, renderSVG, shapes
from reportlab.graphics.barcode import createBarcodeDrawing
from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.lib import colors, pagesizes, units
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen import canvas
from reportlab.platypus import (Flowable, PageBreak, Paragraph,
                                SimpleDocTemplate, Spacer, Table, TableStyle)
from xlsxwriter.exceptions import InvalidWorksheetName
from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell


class Line(Flowable):
    def wrap(self, width, height):
        return width, 2

    def draw(self):
        self.canv.line(0, 0, 50, 0)


def sheets():
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["n", "v"], ["a", 1], ["b", 2.5], [datetime.date(
            2024, 1, 2), "=SUM(B2:B3)"]):
        sheet.append(row)
    sheet["A1"].font = Font(bold=True, color="FF0000")
    sheet["A2"].fill = PatternFill("solid", fgColor="00FF00")
    sheet["A2"].comment = Comment("why", "me")
    book.add_named_style(NamedStyle("loud", alignment=Alignment("center")))
    sheet["B2"].style = "loud"
    for chart in (BarChart(), PieChart()):
        chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3),
                       titles_from_data=True)
        chart.series[0].dPt.append(DataPoint(idx=0))
        sheet.add_chart(chart, "D2")
    sheet.conditional_formatting.add("B2:B3", CellIsRule("greaterThan", ["1"]))
    sheet.conditional_formatting.add("B2:B3", ColorScaleRule(
        "min", None, "FF0000", "max", None, "00FF00"))
    sheet.add_data_validation(DataValidation("list", formula1='"x,y"'))
    sheet.add_table(SheetTable(displayName="T", ref="A1:B3"))
    out = io.BytesIO()
    book.save(out)
    back = openpyxl.load_workbook(out)["Sheet"]
    print([[c.value for c in row] for row in back.iter_rows()], back["B2"].style,
          back["A2"].comment.text, list(back.tables), copy.copy(
              back["A1"].font).b, len(back._charts))
    print([t.value for t in Tokenizer("=SUM(A1:B2)*2").items], Translator(
        "=A1+$B$1", "A1").translate_formula("B3"), get_column_letter(30),
          range_boundaries("B2:C9"))
    lazy = openpyxl.load_workbook(out, read_only=True)
    print([row[0] for row in lazy.active.values][:2])
    for bad in (lambda: openpyxl.load_workbook(io.BytesIO(b"PK")), lambda:
                sheet["A0"], lambda: openpyxl.load_workbook("x.txt")):
        try:
            bad()
        except (openpyxl.utils.exceptions.InvalidFileException,
                ValueError, zipfile.BadZipFile) as error:
            print(type(error).__name__)
    other = io.BytesIO()
    with xlsxwriter.Workbook(other, {"in_memory": True}) as made:
        page = made.add_worksheet("one")
        page.write_row(0, 0, ["x", 2, True, None], made.add_format(
            {"bold": True}))
        page.write_formula("A2", "=1+1", None, 2)
        page.write_rich_string("A3", "p", made.add_format({"italic": 1}), "q")
        for kind in ("line", "bar", "scatter", "doughnut", "radar", "stock"):
            chart = made.add_chart({"type": kind})
            chart.add_series({"categories": "=one!$A$1:$A$2",
                              "values": "=one!$B$1:$B$2"})
            page.insert_chart("F2", chart)
        page.conditional_format("A1:B2", {"type": "data_bar"})
        page.add_sparkline("E1", {"range": "one!A1:B1"})
        try:
            made.add_worksheet("[bad]")
        except InvalidWorksheetName as error:
            print(type(error).__name__)
    print(openpyxl.load_workbook(other)["one"]["A2"].value, xl_rowcol_to_cell(
        1, 2), xl_cell_to_rowcol("C2"))


def pdf():
    styles = getSampleStyleSheet()
    styles.add(ParagraphStyle("Mine", parent=styles["Normal"], fontSize=9))
    out = io.BytesIO()
    drawing = shapes.Drawing(100, 60)
    chart = VerticalBarChart()
    chart.data = [(1, 2, 3)]
    drawing.add(chart)
    grid = Table([["a", "b"], [1, 2]], style=TableStyle([
        ("GRID", (0, 0), (-1, -1), 1, colors.toColor("navy"))]))
    SimpleDocTemplate(out, pagesize=pagesizes.A5, invariant=1).build([
        Paragraph("Hello <b>bold</b> words", styles["Title"]), Spacer(1, 9),
        Line(), grid, drawing, PageBreak(), Paragraph("Second", styles["Mine"]),
        createBarcodeDrawing("Code128", value="AB12", height=20),
        createBarcodeDrawing("QR", value="AB12")])
    print(len(renderPDF.drawToString(drawing)) > 500, "<svg" in renderSVG
          .drawToString(drawing), pdfmetrics.stringWidth("abc", "Helvetica", 10))
    for library in (pypdf, PyPDF2):
        reader = library.PdfReader(out)
        print(len(reader.pages), reader.pages[0].extract_text().split("\n")[0])
        writer = library.PdfWriter()
        for page in reader.pages:
            page.rotate(90)
            writer.add_page(page)
        writer.add_metadata({"/Title": "t"})
        writer.encrypt("secret")
        locked = io.BytesIO()
        writer.write(locked)
        again = library.PdfReader(locked)
        print(again.is_encrypted, int(again.decrypt("secret")), again.metadata
              .title, again.pages[1].rotation if library is pypdf else "")
        try:
            library.PdfReader(io.BytesIO(b"nothing"), strict=True)
        except (PdfReadError, pypdf.errors.PdfReadError) as error:
            print(type(error).__module__, error)
    plain = canvas.Canvas(io.BytesIO(), invariant=1)
    plain.drawString(2 * units.cm, 100, "x")
    print(plain.getpdfdata()[:8], DictionaryObject(
        {NameObject("/A"): NumberObject(3)}))


sheets()
pdf()

"""A square cut out of a picture that holds many thumbnails, so that a page loads one file for all of them."""

from markupsafe import Markup

from .drawing import tag


def thumbnail(sheet: str, number: int, columns: int, rows: int, title: str) -> Markup:
    """The thumbnail of this number in the picture at the address `sheet`, which has so many columns and rows."""
    row, column = divmod(number, columns)
    picture = tag("image", href=sheet, x=-column, y=-row, width=columns, height=rows, preserveAspectRatio="none")
    return tag("svg", tag("title", title), picture, class_="thumbnail", viewBox="0 0 1 1", role="img")

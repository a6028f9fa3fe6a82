"""Tables as notebooks show them: without row numbers, and with the setting of their numbers above them."""

import pandas as pd
from pandas.io.formats.style import Styler


def shown(table: pd.DataFrame, setting: str = "", digits: int = 1) -> Styler:
    """A table for reading: text to the left, numbers with so many digits, nothing where there is none."""
    styler = table.style.hide(axis="index").format(precision=digits, na_rep="")
    styler = styler.set_properties(**{"text-align": "left", "vertical-align": "top"})
    styler = styler.set_table_styles(
        [
            {"selector": "th", "props": "text-align: left; vertical-align: top"},
            {"selector": "caption", "props": "caption-side: top; text-align: left; font-style: italic"},
        ]
    )
    return styler.set_caption(setting) if setting else styler

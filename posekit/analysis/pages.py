"""Tables inside pages of text: what stands between two marks of a page is written anew from the records.

A page has, on lines of their own, `<!-- NAME: posekit figures writes this table -->` and `<!-- end of NAME -->`;
another command's name may stand in the place of figures.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from posekit.errors import PosekitError
from posekit.files import write_whole


def renew(page: Path, blocks: Mapping[str, str], command: str = "figures") -> bool:
    """Writes blocks (Markdown) between the marks of their names; whether the page changed.

    Raises `PosekitError` naming the page and the block if a mark is missing.
    """
    old = page.read_text(encoding="utf-8")
    new = old
    for name, block in blocks.items():
        begin, end = f"<!-- {name}: posekit {command} writes this table -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(new):
            raise PosekitError(
                f"{page} has no place for {name}; put these two lines where it belongs: {begin} {end}"
            )
        text = f"{begin}\n\n{block.strip()}\n\n{end}"
        new = pattern.sub(lambda _, text=text: text, new)
    if new != old:
        write_whole(page, new)
    return new != old

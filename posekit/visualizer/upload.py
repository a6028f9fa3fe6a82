"""A button that takes a file from the browser, of any size up to a bound."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets


class Upload(anywidget.AnyWidget):
    """Calls on_file(name, content) for each file, once all of it is there; content is None if it is too large.

    Where a file is chosen before another has arrived, in this or another window, the newer one wins. Before any of
    a file is there, on_begin(name, given_up) is called; given_up is the name of the file that it displaced, empty
    if there was none.
    """

    _esm = Path(__file__).with_name("upload.js")
    _css = ".posekit-upload { width: 100%; margin: 2px 0; }"
    description = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    largest = traitlets.Int().tag(sync=True)  # bytes

    def __init__(
        self,
        on_begin: Callable[[str, str], None],
        on_file: Callable[[str, bytes | None], None],
        description: str,
        accept: str,
        largest: int,
    ) -> None:
        super().__init__(description=description, accept=accept, largest=largest)
        self._on_begin, self._on_file = on_begin, on_file
        self._upload, self._name, self._size, self._content = "", "", 0, bytearray()
        self.on_msg(self._receive)

    def _receive(self, widget: anywidget.AnyWidget, message: dict, pieces: list[memoryview]) -> None:
        if "name" in message:
            given_up = self._name if self._upload else ""
            self._upload, self._name, self._size = message["upload"], message["name"], message["size"]
            self._content = bytearray()
            self._on_begin(self._name, given_up)
            if self._size > self.largest:
                self._end(None)
                return
        if message["upload"] != self._upload:
            return  # a piece of a file that a newer one displaced
        for piece in pieces:
            self._content += piece
        if len(self._content) == self._size:
            self._end(bytes(self._content))

    def _end(self, content: bytes | None) -> None:
        self._upload, self._content = "", bytearray()
        self._on_file(self._name, content)

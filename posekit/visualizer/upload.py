"""A button that takes a file from the browser, of any size up to a bound."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets


class Upload(anywidget.AnyWidget):
    """Calls on_file(name, content) for each file, once all of it is there; content is None if it is too large."""

    _esm = Path(__file__).with_name("upload.js")
    _css = ".posekit-upload { width: 100%; margin: 2px 0; }"
    description = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    largest = traitlets.Int().tag(sync=True)  # bytes

    def __init__(
        self, on_file: Callable[[str, bytes | None], None], description: str, accept: str, largest: int
    ) -> None:
        super().__init__(description=description, accept=accept, largest=largest)
        self._on_file = on_file
        self._name, self._size, self._content = "", 0, bytearray()
        self.on_msg(self._receive)

    def _receive(self, widget: anywidget.AnyWidget, message: dict, pieces: list[memoryview]) -> None:
        if "name" in message:
            self._name, self._size, self._content = message["name"], message["size"], bytearray()
            if self._size > self.largest:
                self._on_file(self._name, None)
                return
        for piece in pieces:
            self._content += piece
        if len(self._content) == self._size:
            content, self._content = bytes(self._content), bytearray()
            self._on_file(self._name, content)

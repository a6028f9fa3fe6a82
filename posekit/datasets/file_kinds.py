"""What a file is that is not the picture that its name promises, by its first bytes, and what to do about it."""

import io

from PIL import Image

#: Brands after "ftyp", the second four bytes of a file of the ISO family (ISO/IEC 14496-12).
HEIC_BRANDS = (b"heic", b"heim", b"heis", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")

_JXL = "it is a JPEG XL picture, which OpenCV does not read: save it as JPEG"

#: First bytes, what such a file is, and what to do.
BEGINNINGS = (
    (b"\x00\x00\x00\x0cJXL ", _JXL),
    (b"\xff\x0a", _JXL),
    (b"8BPS", "it is a Photoshop file: save it as JPEG"),
    (b"%PDF", "it is a PDF document: save its page as JPEG"),
    (b"<svg", "it is an SVG drawing: export it as PNG"),
    (b"<?xml", "it is XML, perhaps an SVG drawing: export it as PNG"),
    (b"<!doctype", "it is a web page, not a picture: save the picture itself"),
    (b"<html", "it is a web page, not a picture: save the picture itself"),
    (b"version https://git-lfs", "it is a placeholder of Git LFS: git lfs pull fetches the picture"),
    (b"PK\x03\x04", "it is a ZIP archive: unpack it first"),
    (b"\x1f\x8b", "it is a gzip archive: unpack it first"),
)

#: First bytes of videos.
VIDEOS = (b"\x1a\x45\xdf\xa3", b"FLV", b"OggS", b"\x00\x00\x01\xba", b"\x30\x26\xb2\x75")


def why_not_decoded(data: bytes) -> str:
    """The end of a sentence on bytes that OpenCV does not decode as a picture: the cause and the next step."""
    if not data:
        return "the file is empty: fetch it again"
    if not any(data):
        return "the file holds zeros alone, as after a download that was broken off: fetch it again"
    if is_avif(data):
        return "it is an AVIF picture that is damaged, or that this OpenCV does not read: save it as JPEG"
    if data[4:8] == b"ftyp":
        return _of_iso_family(data[8:64])
    if _is_video(data):
        return _VIDEO
    beginning = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for first, sentence in BEGINNINGS:
        if data.startswith(first) or beginning.startswith(first.lower()):
            return sentence
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            kind, mode = picture.format, picture.mode
    except Exception:  # Pillow meets what is no picture with almost any exception
        return "it is damaged or not an image: fetch it again"
    return f"it is whole, but a kind of {kind} (mode {mode}) that OpenCV does not read: save it as PNG or JPEG"


_VIDEO = "it is a video: end its name as videos do, such as .mp4 or .avi"


def is_avif(data: bytes) -> bool:
    """Whether a file is an AVIF picture, or several."""
    return data[4:8] == b"ftyp" and (b"avif" in data[8:64] or b"avis" in data[8:64])


def _of_iso_family(brands: bytes) -> str:
    if any(brand in brands for brand in HEIC_BRANDS):
        return "it is a HEIC photograph, which OpenCV does not read: save it as JPEG"
    if brands.startswith(b"crx"):
        return "it is a raw photograph (CR3): save it as JPEG"
    return _VIDEO


def _is_video(data: bytes) -> bool:
    transport = len(data) > 376 and data[0] == data[188] == data[376] == 0x47  # a packet of MPEG-TS has 188 bytes
    return transport or data.startswith(VIDEOS) or (data[:4] == b"RIFF" and data[8:12] == b"AVI ")

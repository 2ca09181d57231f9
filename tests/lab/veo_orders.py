"""What an order of a Veo clip may say, as Vertex's page on Veo and google-genai 3.4 have it; for the simulator."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

PARAMETERS: Final[Mapping[str, Any]] = {
    "sampleCount": range(1, 5),
    "durationSeconds": (4, 6, 8),
    "seed": range(1 << 32),
    "aspectRatio": ("16:9", "9:16"),
    "resolution": ("720p", "1080p", "4k"),
    "personGeneration": ("allow_adult", "dont_allow"),
    "negativePrompt": str,
    "enhancePrompt": bool,
    "generateAudio": bool,
    "compressionQuality": (
        "optimized",
        "lossless",
        "OPTIMIZED",
        "LOSSLESS",
    ),  # as the page says it, and as the SDK does
    "resizeMode": ("pad", "crop"),
    "storageUri": str,
}
IMAGES: Final = ("image/jpeg", "image/png")


class Wrong(Exception):
    """What Vertex answers to a request that it does not understand."""


def read_order(body: Any, model: str) -> dict[str, Any]:
    """The order, as it came. Raises Wrong where Vertex would refuse it."""
    known(body, {"instances": list, "parameters": dict, "labels": dict}, "", required=("instances",))
    if len(body["instances"]) != 1:
        raise Wrong("Only one instance is supported.")
    instance, parameters = body["instances"][0], body.get("parameters", {})
    media = {"image": dict, "lastFrame": dict, "video": dict}
    known(instance, {"prompt": str, "referenceImages": list, **media}, "instances[0].")
    known(parameters, PARAMETERS, "parameters.")
    for name in media:
        if name in instance:
            _media(instance[name], ("video/mp4",) if name == "video" else IMAGES, f"instances[0].{name}.")
    references = instance.get("referenceImages", [])
    for each in references:
        known(
            each,
            {"image": dict, "referenceType": ("asset", "ASSET")},
            "referenceImages.",
            required=("image", "referenceType"),
        )
        _media(each["image"], IMAGES, "referenceImages.image.")
    seconds = parameters.get("durationSeconds", 8)
    told: tuple[tuple[bool, str], ...] = (
        (not ({"prompt", "image", "video"} & set(instance)), "A prompt, an image or a video is required."),
        ("image" in instance and "video" in instance, "Image and video cannot be both set."),
        ("lastFrame" in instance and "image" not in instance, "lastFrame requires image."),
        (bool(references) and bool({*media} & set(instance)), "Reference images cannot be set with image, video or lastFrame."),
        (len(references) > 3, "At most 3 asset images are supported."),
        (bool(references) and "lite" in model, f"Reference images are not supported by {model}."),
        (bool(references) and not instance.get("prompt"), "Reference images require a prompt."),
        (bool(references) and seconds != 8, "Unsupported output video duration for feature reference_to_video: 8 is supported."),
        (parameters.get("resolution") == "1080p" and seconds != 8, "1080p requires a duration of 8 seconds."),
        ("video" in instance and "durationSeconds" in parameters, "durationSeconds cannot be set for feature video_extension."),
        ("video" in instance and parameters.get("resolution", "720p") != "720p", "Videos are extended at 720p."),
    )  # fmt: skip
    for is_so, words in told:
        if is_so:
            raise Wrong(words)
    return dict(body)


def known(data: Any, fields: Mapping[str, Any], where: str, *, required: tuple[str, ...] = ()) -> None:
    """Raise Wrong unless ``data`` is an object of ``fields``: a type each, or the values that it takes."""
    if not isinstance(data, dict):
        raise Wrong(f"Invalid value at '{where.rstrip('.')}'.")
    for name, value in data.items():
        if name not in fields:
            raise Wrong(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}{name}': Cannot find field."
            )
        wants = fields[name]
        fits = type(value) is wants if isinstance(wants, type) else type(value) is type(wants[0]) and value in wants
        if not fits:
            raise Wrong(f"Invalid value at '{where}{name}': {str(value)[:60]}.")
    for name in required:
        if name not in data:
            raise Wrong(f"Required field {where}{name} is missing.")


def _media(data: Mapping[str, Any], mimes: tuple[str, ...], where: str) -> None:
    known(data, {"bytesBase64Encoded": str, "gcsUri": str, "mimeType": mimes}, where, required=("mimeType",))
    if ("bytesBase64Encoded" in data) is ("gcsUri" in data):
        raise Wrong(f"Exactly one of bytesBase64Encoded and gcsUri is required at {where}")
    try:
        file = base64.b64decode(data.get("bytesBase64Encoded", "AA=="), validate=True)
    except binascii.Error:
        raise Wrong(f"Invalid value at '{where}bytesBase64Encoded' (TYPE_BYTES), Base64 decoding failed.") from None
    if not file:
        raise Wrong(f"{where}bytesBase64Encoded is empty.")

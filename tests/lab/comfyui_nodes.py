"""The nodes that the simulator of ComfyUI knows, and what it says of graphs and failures: in the order and the words of execution.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.lab.billing import Refuse, VendorJob

Said = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A class of nodes: inputs as ``INPUT_TYPES`` tells them, the types it gives, and the files it saves, if any."""

    required: Mapping[str, list[Any]]
    gives: tuple[str, ...] = ()
    optional: Mapping[str, list[Any]] = field(default_factory=dict)
    saves: tuple[str, str, str, Said] | None = None
    """Key of the list in the history, ending, folder (output or temp), what else is told of the file."""


def whole(least: int, most: int) -> list[Any]:
    return ["INT", {"min": least, "max": most}]


def number(least: float, most: float) -> list[Any]:
    return ["FLOAT", {"min": least, "max": most}]


TEXT: list[Any] = ["STRING", {"multiline": True}]
VIDEO: Said = {"format": "video/h264-mp4", "frame_rate": 24.0, "workflow": "x.png", "fullpath": "/x/y.mp4"}
NODES: Mapping[str, Node] = {
    "UNETLoader": Node(
        {"unet_name": [["wan2.2_ti2v_5B_fp16.safetensors"]], "weight_dtype": [["default", "fp8_e4m3fn"]]}, ("MODEL",)
    ),
    "CLIPLoader": Node(
        {"clip_name": [["umt5_xxl_fp8_e4m3fn_scaled.safetensors"]], "type": [["stable_diffusion", "wan"]]},
        ("CLIP",),
        {"device": [["default", "cpu"]]},
    ),
    "VAELoader": Node({"vae_name": [["wan2.2_vae.safetensors"]]}, ("VAE",)),
    "ModelSamplingSD3": Node({"model": ["MODEL"], "shift": number(0.0, 100.0)}, ("MODEL",)),
    "CLIPTextEncode": Node({"text": TEXT, "clip": ["CLIP"]}, ("CONDITIONING",)),
    "Wan22ImageToVideoLatent": Node(
        {
            "vae": ["VAE"],
            "width": whole(32, 16384),
            "height": whole(32, 16384),
            "length": whole(1, 16384),
            "batch_size": whole(1, 4096),
        },
        ("LATENT",),
        {"start_image": ["IMAGE"], "end_image": ["IMAGE"]},
    ),
    "KSampler": Node(
        {
            "model": ["MODEL"],
            "seed": whole(0, 2**64 - 1),
            "steps": whole(1, 10000),
            "cfg": number(0.0, 100.0),
            "sampler_name": [["euler", "uni_pc"]],
            "scheduler": ["COMBO", {"options": ["simple", "normal"]}],
            "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"],
            "latent_image": ["LATENT"],
            "denoise": number(0.0, 1.0),
        },
        ("LATENT",),
    ),
    "VAEDecode": Node({"samples": ["LATENT"], "vae": ["VAE"]}, ("IMAGE",)),
    "LoadImage": Node({"image": [["example.png"], {"image_upload": True}]}, ("IMAGE", "MASK")),
    "CreateVideo": Node({"images": ["IMAGE"], "fps": number(1.0, 120.0)}, ("VIDEO",)),
    "SaveVideo": Node(
        {"video": ["VIDEO"], "filename_prefix": TEXT, "format": [["auto", "mp4"]]},
        (),
        {"codec": [["auto", "h264"]], "format.codec": [["auto", "h264"]]},
        ("images", ".mp4", "output", {}),
    ),
    "VHS_VideoCombine": Node(
        {"images": ["IMAGE"], "frame_rate": number(1.0, 120.0), "filename_prefix": TEXT},
        ("VHS_FILENAMES",),
        {},
        ("gifs", ".mp4", "output", VIDEO),
    ),
    "PreviewVideo": Node({"video": ["VIDEO"]}, (), {}, ("images", ".mp4", "temp", {})),
    "SaveImage": Node({"images": ["IMAGE"], "filename_prefix": TEXT}, (), {}, ("images", ".png", "output", {})),
    "PreviewImage": Node({"images": ["IMAGE"]}, (), {}, ("images", ".png", "temp", {})),
}
EXCEPTIONS: Mapping[str, tuple[str, str]] = {
    "internal": ("RuntimeError", "CUDA error: an illegal memory access was encountered\n"),
    "memory": ("torch.OutOfMemoryError", "Allocation on device 0 would exceed allowed memory.\n\nTIPS: …"),
    "value": ("ValueError", "the length must be a multiple of four plus one\n"),
    "content": ("Exception", "The partner's node declined this.\n"),
}
CAST = {"INT": int, "FLOAT": float, "STRING": str}


def describe(name: str) -> Said:
    """An entry of /object_info."""
    node = NODES[name]
    return {
        "input": {"required": dict(node.required), "optional": dict(node.optional)},
        "output": list(node.gives),
        "name": name,
        "output_node": node.saves is not None,
    }


def validate(graph: Mapping[str, Any], files: Mapping[str, bytes]) -> tuple[Said | None, Said]:
    """The error and the errors by node; None when some output can be made. ``files`` are the pictures that were uploaded."""
    for name, node in graph.items():
        if "class_type" not in node or node["class_type"] not in NODES:
            kind = node.get("class_type")
            facts = {"node_id": name, "class_type": kind, "node_title": kind}
            return _error("missing_node_type", f"Node '{kind}' not found.", f"Node ID '#{name}'", facts), {}
    outputs = [name for name, node in graph.items() if NODES[node["class_type"]].saves is not None]
    if not outputs:
        return _error("prompt_no_outputs", "Prompt has no outputs", "", {}), {}
    wrong = {name: list(_wrong(graph, node, files)) for name, node in graph.items()}
    node_errors = {
        name: {"errors": found, "dependent_outputs": outputs, "class_type": graph[name]["class_type"]}
        for name, found in wrong.items()
        if found
    }
    if not node_errors:
        return None, {}
    words = "\n".join(f"{each['message']}: {each['details']}" for found in wrong.values() for each in found)
    return _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", words, {}), node_errors


def _wrong(graph: Mapping[str, Any], node: Said, files: Mapping[str, bytes]) -> Iterator[Said]:
    kind, inputs = NODES[node["class_type"]], node["inputs"]
    for name, spec in {**kind.required, **kind.optional}.items():
        if name not in inputs:
            if name in kind.required:
                yield _error("required_input_missing", "Required input is missing", name, {"input_name": name})
            continue
        value, about = inputs[name], {"input_name": name, "received_value": inputs[name]}
        if isinstance(value, list):
            yield from _link(graph, name, value, spec[0])
        elif node["class_type"] == "LoadImage":
            if value not in files and value not in spec[0]:
                yield _error(
                    "custom_validation_failed", "Custom validation failed for node", f"{name} - {value}", about
                )
        else:
            yield from _value(name, value, spec, about)


def _link(graph: Mapping[str, Any], name: str, link: list[Any], wanted: Any) -> Iterator[Said]:
    if len(link) != 2 or link[0] not in graph:
        yield _error("bad_linked_input", "Bad linked input, must be a length-2 list of [node_id, slot_index]", name, {})
        return
    given = NODES[graph[link[0]]["class_type"]].gives[link[1]]
    if given != wanted:
        words = f"{name}, received_type({given}) mismatch input_type({wanted})"
        yield _error("return_type_mismatch", "Return type mismatch between linked nodes", words, {"input_name": name})


def _value(name: str, value: Any, spec: list[Any], about: Said) -> Iterator[Said]:
    kind, more = spec[0], spec[1] if len(spec) > 1 else {}
    choices = kind if isinstance(kind, list) else more.get("options") if kind == "COMBO" else None
    if choices is not None:
        if value not in choices:
            yield _error("value_not_in_list", "Value not in list", f"{name}: {value!r} not in {choices}", about)
        return
    try:
        value = CAST[kind](value)
    except (KeyError, TypeError, ValueError):
        words = f"Failed to convert an input value to a {kind} value"
        yield _error("invalid_input_type", words, f"{name}, {value}", about)
        return
    if "min" in more and value < more["min"]:
        yield _error("value_smaller_than_min", f"Value {value} smaller than min of {more['min']}", name, about)
    elif "max" in more and value > more["max"]:
        yield _error("value_bigger_than_max", f"Value {value} bigger than max of {more['max']}", name, about)


def _error(kind: str, message: str, details: str, extra: Said) -> Said:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def texts(graph: Any) -> Iterator[str]:
    """Texts of the prompts; a sampler's positive one alone where it is linked."""
    nodes = [node for node in graph.values() if isinstance(node, dict)]
    linked = [
        node["inputs"]["positive"][0] for node in nodes if isinstance(node.get("inputs", {}).get("positive"), list)
    ]
    for name in linked:
        yield str(graph.get(name, {}).get("inputs", {}).get("text", ""))


def pictures(graph: Mapping[str, Any]) -> Iterator[str]:
    """Files of the pictures with which clips begin."""
    for node in graph.values():
        link = node["inputs"].get("start_image")
        if isinstance(link, list):
            yield graph[link[0]]["inputs"]["image"]


def failure(job: VendorJob, code: str) -> list[Any]:
    name = next((name for name, node in job.wish["prompt"].items() if "KSampler" in node["class_type"]), "1")
    told: Said = {"prompt_id": job.id, "node_id": name, "node_type": "KSampler", "executed": [], "timestamp": 2}
    if code == "cancelled":
        return ["execution_interrupted", told]
    kind, words = EXCEPTIONS[code]
    more = {"exception_type": kind, "exception_message": words, "traceback": ["…"], "current_inputs": {"seed": [7]}}
    return ["execution_error", {**told, **more, "current_outputs": []}]


def refused(kind: str, message: str) -> web.Response:
    error = {"type": kind, "message": message, "details": message, "extra_info": {}}
    return web.json_response({"error": error, "node_errors": {}}, status=400)


def refusal(fault: Refuse) -> web.Response:
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    if fault.status == 400:
        return refused(fault.code or "prompt_outputs_failed_validation", "Prompt outputs failed validation")
    if fault.status in (402, 429):  # as Comfy Cloud says it
        return web.json_response({"error": {"type": "limit", "message": "…"}}, status=fault.status, headers=headers)
    return web.Response(text=f"{fault.status}: …", status=fault.status, headers=headers)

"""What operators write into ``options``: a generator that can be asked, or one sentence at the start; never a surprise at a submit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.settings import read_settings
from core.capabilities import Applied, fit
from core.requests import Wanted
from providers import comfyui, localai_wire, longcat, openai, ovi
from providers.comfyui_workflow import measures, read_workflows
from providers.ovi_input import payload, wire
from providers.sheets import BadSheet, read_sheet
from tests.contracts.vendor_faults import world

Build = Callable[[Path], Any]
"""Connect with the sheet that lies in the folder, and return what is sent for one clip."""


def order(name: str, folder: Path, can: Any) -> tuple[Any, Applied]:
    applied, _ = fit(Wanted(prompt="a lighthouse"), can, seed=7)
    return read_sheet(name, own=folder).model(applied), applied


def of(environment: Mapping[str, str], connect: Callable[..., Any], folder: Path) -> Any:
    return connect(read_settings(dict(environment), None), world(folder))


def ovis(folder: Path) -> Any:
    model, applied = order("ovi", folder, of({"FAL_KEY": "k"}, ovi.connect, folder).capabilities)
    return payload(applied, wire(model), None)


def contracts(folder: Path) -> Any:
    at = {"LONGCAT_VIDEO_ENDPOINT": "http://127.0.0.1:9"}
    model, applied = order("longcat", folder, of(at, longcat.connect, folder).capabilities)
    return longcat.payload(model, applied, {})


def localais(folder: Path) -> Any:
    at = {"LONGCAT_VIDEO_ENDPOINT": "http://127.0.0.1:9/video"}
    model, applied = order("longcat", folder, of(at, longcat.connect, folder).capabilities)
    return localai_wire.payload(model, applied, {})


def comfyuis(folder: Path) -> Any:
    model, applied = order(
        "comfyui", folder, of({"COMFYUI_URL": "http://127.0.0.1:9"}, comfyui.connect, folder).capabilities
    )
    values = {"prompt": "x", "negative_prompt": "", "seed": 7, **measures(model.options, applied)}
    return read_workflows(None).pick(applied).fill(values)


def scripts(folder: Path) -> Any:
    writer = of({"OPENAI_API_KEY": "k"}, openai.scenes, folder)
    assert writer.estimate(3).credits >= 0
    return openai.payload(read_sheet("openai", own=folder).models[0], "idea", "", 3)


BUILDS: Mapping[str, tuple[str, Build]] = {
    "ovi": ("ovi", ovis),
    "contract": ("longcat", contracts),
    "localai": ("longcat", localais),
    "comfyui": ("comfyui", comfyuis),
    "openai": ("openai", scripts),
}


def write(folder: Path, name: str, text: str) -> None:
    (folder / "models").mkdir(exist_ok=True)
    first = read_sheet(name).models[0].id
    (folder / "models" / f"{name}.toml").write_text(f'[[models]]\nid = "{first}"\n{text}\n', encoding="utf-8")


SIZES = 'sizes = { "480p" = { "16:9" = [832, 480], "9:16" = [480, 832] } }, fps = { "480p" = 15 }'


@pytest.mark.parametrize("build", ["contract", "localai"])
def test_broken_numbers_in_params_are_sent(tmp_path: Path, build: str) -> None:
    """``shift = 3.5`` is what people write; TOML's broken numbers are Decimals, which JSON does not know."""
    more = "params = { shift = 3.5, deep = { list = [0.25] } }" if build == "contract" else 'params = { shift = "3.5" }'
    write(tmp_path, "longcat", f'resolutions = ["480p"]\noptions = {{ {SIZES}, {more} }}')
    body = json.loads(json.dumps(BUILDS[build][1](tmp_path)))
    assert body["params"]["shift"] in (3.5, "3.5")


def test_broken_numbers_in_ovis_input_are_sent(tmp_path: Path) -> None:
    write(tmp_path, "ovi", "options = { input = { a = 0.5, b = [0.25], c = { d = 1.5 } } }")
    body = json.loads(json.dumps(ovis(tmp_path)))
    assert (body["a"], body["b"], body["c"]) == (0.5, [0.25], {"d": 1.5})


@pytest.mark.parametrize(
    "build, text, said",
    [
        ("contract", f'resolutions = ["480p"]\noptions = {{ {SIZES}, params = 5 }}', "params wants a table"),
        ("contract", f'resolutions = ["480p"]\noptions = {{ {SIZES}, steps = "x" }}', "steps wants a whole number"),
        (
            "contract",
            f'resolutions = ["480p"]\noptions = {{ {SIZES}, guidance_scale = "x" }}',
            "guidance_scale wants a number",
        ),
        ("contract", "speech = true", "speech is not possible, since the contract has no word for it"),
        ("contract", "reference_images = 2", "reference_images is not possible"),
        ("localai", "options.localai = 3", "localai wants a table"),
        (
            "localai",
            f"resolutions = ['480p']\noptions = {{ {SIZES}, most_active = 0 }}",
            "most_active wants a whole number",
        ),
        ("localai", f"resolutions = ['480p']\noptions = {{ {SIZES}, params = {{ a = 1 }} }}", "params wants texts"),
        (
            "localai",
            f"resolutions = ['480p']\noptions = {{ {SIZES}, response_format = 'x' }}",
            "response_format wants b64_json or url",
        ),
        ("ovi", "extend = true", "model fal-ai/ovi: extend is not possible with Ovi"),
        ("ovi", "last_frame = true", "last_frame is not possible with Ovi"),
        ("ovi", "options = { image = '../x' }", "image wants what fal appends"),
        ("ovi", "options = { input = { prompt = 'x' } }", "input has prompt, which every clip says for itself"),
        (
            "ovi",
            "options = { router = { model = 5, id = 'a/b', task = 'text-to-video' } }",
            "router wants model and id as owner/name",
        ),
        (
            "openai",
            "options = { usd_per_million_input_tokens = 'x' }",
            "options.usd_per_million_input_tokens wants a number",
        ),
        ("openai", "options = { thinking_tokens = 1.5 }", "options.thinking_tokens wants a whole number"),
        ("openai", "options = { tokens_per_scene = -1 }", "options.tokens_per_scene wants a whole number"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(tmp_path: Path, build: str, text: str, said: str) -> None:
    name, make = BUILDS[build]
    write(tmp_path, name, text)
    with pytest.raises(BadSheet) as found:
        make(tmp_path)
    assert said in str(found.value)
    assert f"{name}.toml" in str(found.value)


VALUES = st.recursive(
    st.sampled_from(
        ['"x"', '"tail"', '"url"', "0", "-3", "16", "1.5", "true", "99999999999999999999", "[]", "{}", "2026-11-22"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda found: f"[{', '.join(found)}]"),
        st.dictionaries(st.sampled_from(["480p", "16:9", "prompt", "a"]), inner, max_size=2).map(
            lambda found: "{ " + ", ".join(f'"{key}" = {value}' for key, value in found.items()) + " }"
        ),
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        *(
            "sizes",
            "fps",
            "frame_step",
            "steps",
            "guidance_scale",
            "params",
            "localai",
            "most_active",
            "response_format",
        ),
        *("image", "sounds", "wordless", "input", "router", "frames_multiple", "frames_more", "thinking_tokens", "z"),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(build=st.sampled_from(sorted(BUILDS)), options=st.dictionaries(KEYS, VALUES, max_size=3))
def test_whatever_stands_there_is_sent_or_named(tmp_path: Path, build: str, options: dict[str, str]) -> None:
    name, make = BUILDS[build]
    write(tmp_path, name, "[models.options]\n" + "\n".join(f"{key} = {value}" for key, value in options.items()))
    said = ""
    try:
        json.dumps(make(tmp_path), allow_nan=False)
    except BadSheet as wrong:
        said = str(wrong)
    assert not said or f"{name}.toml" in said

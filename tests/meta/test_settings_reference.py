"""The list of settings, their types, .env.example and the reference say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.setting_list import BY_NAME, SETTINGS, Setting
from bot.settings import Settings, SettingsMistakes, read_settings

ROOT = Path(__file__).parents[2]
TYPED = {str(info.validation_alias): (field, info) for field, info in Settings.model_fields.items()}


def test_every_setting_is_listed_once_and_typed() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(names) == len(set(names))
    assert set(names) == set(TYPED)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_a_secret_is_typed_as_one(setting: Setting) -> None:
    _, info = TYPED[setting.name]
    assert (SecretStr in getattr(info.annotation, "__args__", ())) is setting.secret


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_the_default_in_words_is_the_one_that_applies(setting: Setting) -> None:
    field, info = TYPED[setting.name]
    default = getattr(read_settings({}, None), field)
    if default in (None, ()):
        applied = {"REELAY_DAILY_CREDITS": "500", "REELAY_MONTHLY_CREDITS": "unlimited"}.get(setting.name)
        assert applied is None or setting.default == applied
        assert not info.is_required()
    elif isinstance(default, bool):
        assert setting.default == {True: "yes", False: "no"}[default]
    else:
        assert setting.default.removeprefix("./") == str(default)


def test_env_example_names_every_setting_in_order_and_sets_none() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    rows = [match.groups() for line in lines if (match := re.fullmatch(r"#([A-Z0-9_]+)=(.*)", line))]
    assert rows == [(setting.name, "" if setting.secret else setting.example) for setting in SETTINGS]
    assert [line for line in lines if line and not line.startswith("#")] == []
    text = "\n".join(lines)
    for setting in SETTINGS:
        assert f"# {setting.meaning} (unset: {setting.default}).\n# Wants {setting.wants}" in text
        assert f"#{setting.name}=" in text


def test_env_example_can_be_used_once_its_marks_are_taken_away(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = [line[1:] for line in text.splitlines() if re.match(r"#[A-Z0-9_]+=.", line)]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SettingsMistakes) as caught:
        read_settings({}, tmp_path / ".env")
    assert [each.variable for each in caught.value.mistakes] == [
        "COMFYUI_WORKFLOW"
    ]  # its file is the operator's to bring


def test_the_reference_has_one_row_for_every_setting() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    told = {row[0].strip("`"): row[1:] for row in rows}
    assert list(told) == [setting.name for setting in SETTINGS]
    assert len(rows) == len(told)
    for name, (meaning, default, wants, example) in told.items():
        setting = BY_NAME[name]
        assert meaning.startswith(setting.meaning)
        assert ("secret" in meaning.removeprefix(setting.meaning)) is setting.secret
        assert (default, wants, example) == (setting.default, setting.wants, f"`{setting.example}`")


def test_no_text_breaks_its_table() -> None:
    assert [
        setting.name
        for setting in SETTINGS
        if "|" in f"{setting.meaning}{setting.default}{setting.wants}{setting.example}"
    ] == []

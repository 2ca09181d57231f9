from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.setting_list import SETTINGS, Setting
from bot.setting_values import Admin, Circle
from bot.settings import EXIT_MISTAKES, Mistake, Settings, SettingsMistakes, read_settings

PLAIN = [setting for setting in SETTINGS if not setting.secret and setting.name != "COMFYUI_WORKFLOW"]
PLACEHOLDERS = [
    "changeme",
    "Change-Me",
    "your-token",
    "YOUR_API_KEY_HERE",
    "<token>",
    "xxxxx",
    "...",
    "replace_me",
    "${TOKEN}",
    "api_key",
]
SECRETS = [setting.name for setting in SETTINGS if setting.secret]


def read(**environ: str) -> Settings:
    return read_settings(environ, None)


def mistakes(**environ: str) -> list[Mistake]:
    with pytest.raises(SettingsMistakes) as caught:
        read(**environ)
    return caught.value.mistakes


def test_nothing_set_is_the_web_and_the_local_generator_on_loopback() -> None:
    settings = read()
    assert (settings.http_host, settings.http_port, settings.on_loopback) == ("127.0.0.1", 8080, True)
    assert settings.database_path == Path("data/reelay.db")
    assert (settings.daily_limit, settings.monthly_limit) == (500, None)
    assert (settings.max_active_jobs, settings.max_waiting_jobs, settings.film_parallel) == (2, 20, 4)
    assert settings.retention_days == 30
    assert settings.log_format == "text"
    assert settings.who_may(paid=False) == "open"
    assert settings.secrets() == ()
    assert settings.told() == {}


def test_a_paid_generator_brings_a_cap_and_closes_the_door() -> None:
    settings = read()
    assert (settings.global_daily_limit(paid=False), settings.global_daily_limit(paid=True)) == (None, 2000)
    assert settings.who_may(paid=True) == "admins"
    assert read(REELAY_ALLOWED="open").who_may(paid=True) == "open"


@pytest.mark.parametrize("name, unset", [("DAILY", 500), ("MONTHLY", None)])
def test_unset_none_and_unlimited_are_three_things(name: str, unset: int | None) -> None:
    def limit(**environ: str) -> int | None:
        settings = read(**environ)
        return settings.daily_limit if name == "DAILY" else settings.monthly_limit

    variable = f"REELAY_{name}_CREDITS"
    assert limit() == unset
    assert limit(**{variable: ""}) == unset
    assert limit(**{variable: "0"}) == 0
    assert limit(**{variable: "Unlimited"}) is None
    assert limit(**{variable: "70"}) == 70


@pytest.mark.parametrize("paid", [False, True])
def test_the_cap_for_everybody_as_written_wins_over_its_default(paid: bool) -> None:
    assert read(REELAY_GLOBAL_DAILY_CREDITS="0").global_daily_limit(paid=paid) == 0
    assert read(REELAY_GLOBAL_DAILY_CREDITS="unlimited").global_daily_limit(paid=paid) is None
    assert read(REELAY_GLOBAL_DAILY_CREDITS="9").global_daily_limit(paid=paid) == 9


def test_a_flat_price_of_nothing_is_a_price() -> None:
    assert read().flat_cost is None
    assert read(VIDEO_TOKEN_COST="0").flat_cost == 0


def test_people_are_typed() -> None:
    settings = read(
        REELAY_ALLOWED="discord:guild:1, telegram:chat:-1002,telegram:user:3", REELAY_ADMINS="discord:4,Telegram:5,"
    )
    assert settings.allowed == (
        Circle("discord", "guild", "1"),
        Circle("telegram", "chat", "-1002"),
        Circle("telegram", "user", "3"),
    )
    assert settings.admins == (Admin("discord", "4"), Admin("telegram", "5"))
    assert settings.told()["REELAY_ALLOWED"] == "discord:guild:1,telegram:chat:-1002,telegram:user:3"


def test_every_mistake_is_told_at_once_with_name_wish_and_example() -> None:
    found = mistakes(
        REELAY_HTTP_PORT="99999",
        REELAY_DAILY_CREDITS="-1",
        REELAY_DAILY_CREDIT="5",
        REELAY_ALLOWED="discord:guild:1,everybody",
        DISCORD_TOKEN="changeme",
        TELEGRAM_API_URL="api.telegram.org",
    )
    assert [each.variable for each in found] == [
        "REELAY_HTTP_PORT", "REELAY_DAILY_CREDITS", "REELAY_ALLOWED", "DISCORD_TOKEN", "TELEGRAM_API_URL", "REELAY_DAILY_CREDIT",
    ]  # fmt: skip
    for each in found:
        assert each.variable in each.text
        assert each.wants in each.text
        assert each.example in each.text
    text = str(SettingsMistakes(found))
    assert text.startswith("6 settings are wrong:")
    assert text.count("\n") == 6
    assert EXIT_MISTAKES == 78


@pytest.mark.parametrize(
    "name, text",
    [
        ("REELAY_HTTP_PORT", "65536"),
        ("REELAY_HTTP_PORT", "8_080"),
        ("REELAY_HTTP_PORT", "8080.0"),
        ("REELAY_HTTP_PORT", "٨٠"),
        ("REELAY_HTTP_HOST", "http://127.0.0.1"),
        ("REELAY_HTTP_HOST", "127.0.0.1:8080"),
        ("REELAY_HTTP_HOST", "300.1.1.1"),
        ("REELAY_PUBLIC_URL", "https://example.org/path"),
        ("REELAY_PUBLIC_URL", "ftp://example.org"),
        ("REELAY_PUBLIC_URL", "https://example.org?x=1"),
        ("REELAY_PUBLIC_URL", "https://"),
        ("REELAY_PUBLIC_URL", "https://example.org:port"),
        ("REELAY_PUBLIC_URL", "https://me@example.org"),
        ("REELAY_DATABASE_URL", "postgresql://host/reelay"),
        ("REELAY_DATABASE_URL", "sqlite://"),
        ("REELAY_DATABASE_URL", "sqlite:///:memory:"),
        ("REELAY_DATABASE_URL", "reelay.db"),
        ("REELAY_DAILY_CREDITS", "many"),
        ("REELAY_MONTHLY_CREDITS", "1.5"),
        ("REELAY_MAX_ACTIVE_JOBS", "0"),
        ("REELAY_RETENTION_DAYS", "0"),
        ("REELAY_LOG_FORMAT", "xml"),
        ("REELAY_PROVIDER", "sora"),
        ("REELAY_WEB_ACCESS", "closed"),
        ("REELAY_ALLOWED", "discord:channel:1"),
        ("REELAY_ALLOWED", "discord:guild:-1"),
        ("REELAY_ALLOWED", "open,discord:guild:1"),
        ("REELAY_ADMINS", "discord:name"),
        ("REELAY_ADMINS", ","),
        ("VIDEO_TOKEN_COST", "unlimited"),
        ("DISCORD_GATEWAY_URL", "https://gateway.example.org"),
        ("DISCORD_PUBLIC_KEY", "abc"),
        ("TELEGRAM_LOCAL_SERVER", "maybe"),
        ("TELEGRAM_WEBHOOK_SECRET", "with.dot"),
        ("VEO_MODEL", "two words"),
        ("COMFYUI_WORKFLOW", "no/such/file.json"),
        ("COMFYUI_WORKFLOW", "n" * 5000),
        ("REELAY_DATA_DIR", "~nobody-of-this-name/data"),
        ("REELAY_DATA_DIR", "da\0ta"),
        ("REELAY_DATA_DIR", __file__),
        ("DISCORD_TOKEN_FILE", "~nobody-of-this-name/token"),
    ],
)
def test_a_wrong_text_is_refused(name: str, text: str) -> None:
    assert [each.variable for each in mistakes(**{name: text})] == [name]


NUMBERS = [setting for setting in PLAIN if re.search("whole number|port", setting.wants)]


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda each: each.name)
def test_the_range_of_a_number_that_is_told_is_the_one_that_holds(setting: Setting) -> None:
    least, most = (int(each) for each in re.findall(r"from (\d+) to (\d+)", setting.wants)[0])
    for legal in (least, most):
        assert read(**{setting.name: str(legal)}).told() == {setting.name: str(legal)}
    for wrong in (least - 1, most + 1):
        assert [each.text for each in mistakes(**{setting.name: str(wrong)})] == [
            f"{setting.name} is out of range ('{wrong}'). It wants {setting.wants}, for example {setting.name}={setting.example}"
        ]


@pytest.mark.parametrize("setting", PLAIN, ids=lambda each: each.name)
def test_every_example_is_accepted(setting: Setting) -> None:
    assert setting.name in read(**{setting.name: setting.example}).told()


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_is_no_secret(name: str, text: str) -> None:
    (found,) = mistakes(**{name: text})
    assert found.variable == name


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_masked_and_a_wrong_one_is_never_quoted(name: str) -> None:
    canary = "http://u:canary-4711@h:1" if name.endswith("_PROXY") else "canary-4711"
    settings = read(**{name: canary})
    assert settings.secrets() == (canary,)
    assert (
        "canary"
        not in f"{settings!r} {settings} {settings.told()} {settings.model_dump()} {settings.model_dump_json()}"
    )
    (found,) = mistakes(**{name: f"{canary} with blanks é"})
    assert "canary" not in found.text


def test_a_login_in_an_address_is_never_quoted() -> None:
    (found,) = mistakes(REELAY_DATABASE_URL="postgresql://me:canary@host/reelay")
    assert "canary" not in found.text


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("  123:canary\n")
    settings = read(TELEGRAM_TOKEN_FILE=str(file))
    assert settings.telegram_token is not None
    assert settings.telegram_token.get_secret_value() == "123:canary"


def _missing(path: Path) -> None:
    """Leave it away."""


def _folder(path: Path) -> None:
    path.mkdir()


def _empty(path: Path) -> None:
    path.write_text(" \n")


def _binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00canary")


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [_missing, _folder, _empty, _binary, _endless])
def test_a_file_that_holds_no_secret_is_a_mistake(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "token")
    (found,) = mistakes(TELEGRAM_TOKEN_FILE=str(tmp_path / "token"))
    assert found.variable == "TELEGRAM_TOKEN_FILE"
    assert "canary" not in found.text


def test_a_secret_and_its_file_exclude_each_other(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("1:b")
    (found,) = mistakes(TELEGRAM_TOKEN="1:a", TELEGRAM_TOKEN_FILE=str(file))
    assert "both" in found.text


def test_only_secrets_stand_in_files() -> None:
    (found,) = mistakes(REELAY_HTTP_PORT_FILE="port.txt")
    assert found.variable == "REELAY_HTTP_PORT_FILE"


@pytest.mark.parametrize(
    "wrote, meant",
    [
        ("REELAY_PORT", "REELAY_HTTP_PORT"),
        ("REELAY_ADMIN", "REELAY_ADMINS"),
        ("reelay_data_dir", "REELAY_DATA_DIR"),
        ("REELAY_DAILY_CREDIT", "REELAY_DAILY_CREDITS"),
    ],
)
def test_an_unknown_name_brings_the_nearest_to_mind(wrote: str, meant: str) -> None:
    (found,) = mistakes(**{wrote: "1"})
    assert found.variable == wrote
    assert f"Did you mean {meant}?" in found.text


def test_other_programs_settings_are_their_own() -> None:
    assert read(HOME="/", PATH="/bin", TELEGRAM_THEME="dark", POSTGRES_PASSWORD="changeme").told() == {}


def test_dotenv_is_read_where_the_environment_is_silent(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    lines = [
        "# ours",
        "REELAY_HTTP_PORT=1111",
        "export REELAY_RETENTION_DAYS='7' # a week",
        "REPLICATE_API_TOKEN=r8_a$HOME",
        "COMPOSE_FILE=x",
    ]
    env_file.write_text("\n".join(lines))
    settings = read_settings({"REELAY_HTTP_PORT": "2222"}, env_file)
    assert (settings.http_port, settings.retention_days) == (2222, 7)
    assert settings.secrets() == ("r8_a$HOME",)


def test_dotenv_with_mistakes_is_told_by_line(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("REELAY_HTTP_PORT\nREELAY_RETENTION_DAY=7\nsome words here\nREELAY_LOG_FORMAT=xml\n")
    with pytest.raises(SettingsMistakes) as caught:
        read_settings({}, env_file)
    text = str(caught.value)
    assert "line 1," in text
    assert "line 3," in text
    assert "REELAY_RETENTION_DAYS?" in text
    assert "REELAY_LOG_FORMAT" in text


def test_dotenv_need_not_exist_but_must_be_readable(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path / "none").told() == {}
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsMistakes, match="cannot be read"):
        read_settings({}, tmp_path / ".env")


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REELAY_HTTP_PORT", "4242")
    (tmp_path / ".env").write_text("REELAY_LOG_FORMAT=json\n")
    settings = read_settings()
    assert (settings.http_port, settings.log_format) == (4242, "json")


def test_roots_lose_their_last_slash_and_their_version() -> None:
    settings = read(
        OPENAI_BASE_URL="http://127.0.0.1:1/v1/",
        TELEGRAM_API_URL="http://127.0.0.1:2/",
        DISCORD_API_URL="http://127.0.0.1:3/api/v10/",
    )
    assert settings.openai_url == "http://127.0.0.1:1"
    assert settings.telegram_api_url == "http://127.0.0.1:2"
    assert settings.discord_api_url == "http://127.0.0.1:3/api/v10"


@pytest.mark.parametrize(
    "host, loopback",
    [
        ("localhost", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("reelay.local", False),
    ],
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert read(REELAY_HTTP_HOST=host).on_loopback is loopback


@given(st.sampled_from([each.name for each in SETTINGS]), st.text(max_size=60))
def test_whatever_is_written_gives_settings_or_sentences(name: str, text: str) -> None:
    try:
        read(**{name: text})
    except SettingsMistakes as error:
        assert [each.variable for each in error.mistakes] == [name]  # noqa: PT017  # both ends are right, one at a time

"""The environment, read once: every setting typed, and all mistakes told together.

This is the only file that reads the environment. What each setting means is in ``bot.setting_list``; how its text is
read, in ``bot.setting_values``; how ``.env`` and ``NAME_FILE`` join in, in ``bot.setting_sources``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot import setting_values as values
from bot.setting_list import BY_NAME, SETTINGS, Setting
from bot.setting_sources import Mistake, gather, mistake
from bot.setting_values import Admin, Circle, Credits

__all__ = ["EXIT_MISTAKES", "SETTINGS", "Mistake", "Setting", "Settings", "SettingsMistakes", "read_settings"]

EXIT_MISTAKES = 78
"""What the process exits with when settings are wrong (EX_CONFIG of sysexits.h)."""

Amount = Annotated[Credits | None, BeforeValidator(values.credits_amount)]
Address = Annotated[str | None, BeforeValidator(values.address("https", "http", path=True))]
Root = Annotated[str, BeforeValidator(values.address("https", "http"))]
Word = Annotated[str | None, BeforeValidator(values.word)]
Secret = Annotated[SecretStr | None, BeforeValidator(values.secret)]
Truth = Annotated[bool, BeforeValidator(values.yes_or_no)]


def _set(name: str, default: Any = None) -> Any:
    return Field(default=default, validation_alias=name)


class Settings(BaseSettings):
    """Every setting, typed; ``None`` where it is unset and has no default of its own. Its repr shows no secret.

    Made by ``read_settings``, to which tests hand their own: ``read_settings({"REELAY_HTTP_PORT": "0"}, None)``.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False)

    data_dir: Annotated[Path, BeforeValidator(values.folder)] = _set("REELAY_DATA_DIR", Path("data"))
    database_url: Annotated[Path | None, BeforeValidator(values.database)] = _set("REELAY_DATABASE_URL")
    http_host: Annotated[str, BeforeValidator(values.host)] = _set("REELAY_HTTP_HOST", "127.0.0.1")
    http_port: Annotated[int, BeforeValidator(values.whole_number(0, 65535))] = _set("REELAY_HTTP_PORT", 8080)
    public_url: Annotated[str | None, BeforeValidator(values.address("https", "http"))] = _set("REELAY_PUBLIC_URL")
    retention_days: Annotated[int, BeforeValidator(values.whole_number(1, 36500))] = _set("REELAY_RETENTION_DAYS", 30)
    disk_budget: Annotated[int | None, BeforeValidator(values.whole_number(1, 1_000_000))] = _set("REELAY_DISK_BUDGET")
    log_format: Annotated[Literal["text", "json"], BeforeValidator(values.one_of("text", "json"))] = _set(
        "REELAY_LOG_FORMAT", "text"
    )
    provider: Annotated[str | None, BeforeValidator(values.one_of(*values.GENERATORS))] = _set("REELAY_PROVIDER")

    daily_credits: Amount = _set("REELAY_DAILY_CREDITS")
    monthly_credits: Amount = _set("REELAY_MONTHLY_CREDITS")
    global_daily_credits: Amount = _set("REELAY_GLOBAL_DAILY_CREDITS")
    flat_cost: Annotated[int | None, BeforeValidator(values.whole_number(0, 1_000_000))] = _set("VIDEO_TOKEN_COST")
    max_active_jobs: Annotated[int, BeforeValidator(values.whole_number(1, 100))] = _set("REELAY_MAX_ACTIVE_JOBS", 2)
    max_waiting_jobs: Annotated[int, BeforeValidator(values.whole_number(0, 10_000))] = _set(
        "REELAY_MAX_WAITING_JOBS", 20
    )
    film_parallel: Annotated[int, BeforeValidator(values.whole_number(1, 100))] = _set("REELAY_FILM_PARALLEL", 4)

    allowed: Annotated[Literal["open"] | tuple[Circle, ...] | None, BeforeValidator(values.allowed)] = _set(
        "REELAY_ALLOWED"
    )
    admins: Annotated[tuple[Admin, ...], BeforeValidator(values.admins)] = _set("REELAY_ADMINS", ())
    web_access: Annotated[Literal["signin", "open"] | None, BeforeValidator(values.one_of("signin", "open"))] = _set(
        "REELAY_WEB_ACCESS"
    )

    discord_token: Secret = _set("DISCORD_TOKEN")
    discord_api_url: Annotated[str, BeforeValidator(values.address("https", "http", path=True))] = _set(
        "DISCORD_API_URL", "https://discord.com/api/v10"
    )
    discord_gateway_url: Annotated[str | None, BeforeValidator(values.address("wss", "ws", path=True))] = _set(
        "DISCORD_GATEWAY_URL"
    )
    discord_proxy: Annotated[SecretStr | None, BeforeValidator(values.address("http", "https", login=True))] = _set(
        "DISCORD_PROXY"
    )
    discord_public_key: Annotated[str | None, BeforeValidator(values.public_key)] = _set("DISCORD_PUBLIC_KEY")

    telegram_token: Secret = _set("TELEGRAM_TOKEN")
    telegram_api_url: Root = _set("TELEGRAM_API_URL", "https://api.telegram.org")
    telegram_local_server: Truth = _set("TELEGRAM_LOCAL_SERVER", default=False)
    telegram_local_folder: Annotated[Path | None, BeforeValidator(values.folder)] = _set("TELEGRAM_LOCAL_FOLDER")
    telegram_proxy: Annotated[SecretStr | None, BeforeValidator(values.address("http", "https", login=True))] = _set(
        "TELEGRAM_PROXY"
    )
    telegram_webhook_secret: Annotated[SecretStr | None, BeforeValidator(values.webhook_secret)] = _set(
        "TELEGRAM_WEBHOOK_SECRET"
    )

    gemini_api_key: Secret = _set("GEMINI_API_KEY")
    google_api_key: Secret = _set("GOOGLE_API_KEY")
    google_use_vertex: Truth = _set("GOOGLE_GENAI_USE_VERTEXAI", default=False)
    google_cloud_project: Word = _set("GOOGLE_CLOUD_PROJECT")
    google_cloud_location: Annotated[str, BeforeValidator(values.word)] = _set("GOOGLE_CLOUD_LOCATION", "us-central1")
    google_api_url: Annotated[str | None, BeforeValidator(values.address("https", "http"))] = _set(
        "GOOGLE_API_BASE_URL"
    )
    veo_model: Word = _set("VEO_MODEL")
    omni_model: Word = _set("OMNI_MODEL")

    replicate_api_token: Secret = _set("REPLICATE_API_TOKEN")
    replicate_url: Root = _set("REPLICATE_BASE_URL", "https://api.replicate.com")
    replicate_model: Word = _set("REPLICATE_MODEL")

    fal_key: Secret = _set("FAL_KEY")
    fal_queue_url: Root = _set("FAL_QUEUE_URL", "https://queue.fal.run")
    hf_token: Secret = _set("HF_TOKEN")
    hf_router_url: Root = _set("HF_ROUTER_URL", "https://router.huggingface.co")
    ovi_model: Word = _set("OVI_MODEL")

    longcat_endpoint: Address = _set("LONGCAT_VIDEO_ENDPOINT")
    longcat_api_key: Secret = _set("LONGCAT_API_KEY")
    longcat_model: Word = _set("LONGCAT_MODEL")
    comfyui_url: Annotated[str | None, BeforeValidator(values.address("https", "http"))] = _set("COMFYUI_URL")
    comfyui_workflow: Annotated[Path | None, BeforeValidator(values.json_file)] = _set("COMFYUI_WORKFLOW")

    openai_api_key: Secret = _set("OPENAI_API_KEY")
    openai_url: Annotated[str, BeforeValidator(values.without_version)] = _set(
        "OPENAI_BASE_URL", "https://api.openai.com"
    )
    scenes_model: Word = _set("SCENES_MODEL")
    character_model: Word = _set("CHARACTER_MODEL")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the five names are pydantic-settings' own
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let only what ``read_settings`` gathered count: it knows ``NAME_FILE``, and names that are no setting."""
        return (init_settings,)

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.database_url or self.data_dir / "reelay.db"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the page."""
        return values.is_loopback(self.http_host)

    @property
    def daily_limit(self) -> int | None:
        """Credits of a person per day; None is unlimited, as everywhere in ``core.money``."""
        return _limit(self.daily_credits, unset=500)

    @property
    def monthly_limit(self) -> int | None:
        """Credits of a person per month; None is unlimited."""
        return _limit(self.monthly_credits, unset=None)

    def global_daily_limit(self, *, paid: bool) -> int | None:
        """Credits of everybody per day, None is unlimited; ``paid``: whether a generator that costs is configured."""
        return _limit(self.global_daily_credits, unset=2000 if paid else None)

    def who_may(self, *, paid: bool) -> Literal["open", "admins"] | tuple[Circle, ...]:
        """Return who may use it; ``paid``: whether a generator that costs money is configured."""
        return self.allowed if self.allowed is not None else "admins" if paid else "open"

    def secrets(self) -> tuple[str, ...]:
        """Every configured secret in the clear, for the redaction of logs and for nothing else."""
        found = (getattr(self, field) for field in type(self).model_fields)
        return tuple(value.get_secret_value() for value in found if isinstance(value, SecretStr))

    def told(self) -> dict[str, str]:
        """Return each variable that was set and its value in words, secrets masked, in the order of the reference."""
        by_name = {str(info.validation_alias): field for field, info in type(self).model_fields.items()}
        fields = {setting.name: by_name[setting.name] for setting in SETTINGS}
        return {name: _words(getattr(self, field)) for name, field in fields.items() if field in self.model_fields_set}


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _limit(amount: Credits | None, *, unset: int | None) -> int | None:
    if amount is None:
        return unset
    return None if amount == "unlimited" else amount


class SettingsMistakes(Exception):
    """The environment cannot be used; ``mistakes`` has every reason, and the text says them all."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        head = "One setting is wrong:" if len(mistakes) == 1 else f"{len(mistakes)} settings are wrong:"
        super().__init__("\n".join([head, *(f"  {mistake.text}" for mistake in mistakes)]))


def read_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Settings:
    """Read the environment (this process's own by default) and, where that is silent, ``env_file`` if there is one.

    An empty value counts as unset. Raises SettingsMistakes with everything that is wrong.
    """
    texts, mistakes = gather(os.environ if environ is None else environ, env_file)
    settings = None
    try:
        settings = Settings.model_validate(texts)
    except ValidationError as error:
        mistakes += [_mistake(str(each["loc"][0]), str(each["ctx"]["error"]), texts) for each in error.errors()]
    if settings is None or mistakes:
        order = {setting.name: number for number, setting in enumerate(SETTINGS)}
        raise SettingsMistakes(
            sorted(mistakes, key=lambda each: order.get(each.variable.removesuffix("_FILE"), len(order)))
        )
    return settings


def _mistake(name: str, reason: str, texts: Mapping[str, str]) -> Mistake:
    setting = BY_NAME[name]
    text = texts[name]
    quoted = "" if setting.secret or "@" in text else f" ({text[:60] + '…' if len(text) > 60 else text!r})"
    return mistake(name, f"{reason}{quoted}")

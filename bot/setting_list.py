"""The reference of all settings as data: what each means, what it wants, an example.

``bot.settings`` gives each its type. ``tests/meta`` holds the two, ``.env.example`` and ``docs/reference/settings.md`` against each other.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One row. ``default`` says in words what applies when it is unset."""

    group: str
    name: str
    meaning: str
    default: str
    wants: str
    example: str
    secret: bool = False


CREDITS = "a whole number of credits from 0 to 1000000000, or unlimited (0 means none)"
ROOT = "an address that begins with https:// or http://, without a path"
KEY = "the key or token as it was given to you"
MODEL = "a model's id, without blanks"
BUILT_FOR = "the one this release was made with"

REELAY, LIMITS, PEOPLE, DISCORD, TELEGRAM = (
    "Reelay itself",
    "Credits and limits",
    "Who may use it",
    "Discord",
    "Telegram",
)
GOOGLE, REPLICATE, OVI = "Google: Veo and Omni", "Replicate", "Ovi: fal or Hugging Face"
OWN, SCENES = "Generators of your own", "Scenes and characters of films"

# fmt: off
SETTINGS: tuple[Setting, ...] = (
    Setting(REELAY, "REELAY_DATA_DIR", "Folder of the database, the clips and the secret key", "./data", "the path of a folder", "/var/lib/reelay"),
    Setting(REELAY, "REELAY_DATABASE_URL", "Where the database is", "reelay.db in the data folder", "sqlite:/// and the path of a file (PostgreSQL comes later)", "sqlite:///data/reelay.db"),
    Setting(REELAY, "REELAY_HTTP_HOST", "Address that the page, the API, webhooks, health and metrics listen on", "127.0.0.1", "an IP address or a host name", "0.0.0.0"),
    Setting(REELAY, "REELAY_HTTP_PORT", "Port of the same (0: any free one)", "8080", "a port from 0 to 65535", "8080"),
    Setting(REELAY, "REELAY_PUBLIC_URL", "How the outside reaches it: what links begin with; webhooks need it", "none: links begin with the address that was called; no webhooks", ROOT, "https://clips.example.org"),
    Setting(REELAY, "REELAY_RETENTION_DAYS", "Days that a clip is kept, unless it has a star", "30", "a whole number of days from 1 to 36500", "30"),
    Setting(REELAY, "REELAY_DISK_BUDGET", "Gigabytes of stored clips above which the operator is warned; nothing is refused or deleted", "none: no warning", "a whole number of gigabytes from 1 to 1000000", "50"),
    Setting(REELAY, "REELAY_LOG_FORMAT", "How log lines look: for people or for machines", "text", "text or json", "json"),
    Setting(REELAY, "REELAY_PROVIDER", "The generator that is used when a person names none", "the best one that is configured", "local, veo, omni, replicate, ovi, longcat, comfyui, google or gemini", "local"),

    Setting(LIMITS, "REELAY_DAILY_CREDITS", "What a person may spend in a day", "500", CREDITS, "500"),
    Setting(LIMITS, "REELAY_MONTHLY_CREDITS", "What a person may spend in a month", "unlimited", CREDITS, "10000"),
    Setting(LIMITS, "REELAY_GLOBAL_DAILY_CREDITS", "What everybody together may spend in a day", "2000 as soon as a paid generator is configured, else unlimited", CREDITS, "2000"),
    Setting(LIMITS, "VIDEO_TOKEN_COST", "One flat price in credits for every clip, local ones too, in place of the price list", "none: the price list", "a whole number of credits from 0 to 1000000", "10"),
    Setting(LIMITS, "REELAY_MAX_ACTIVE_JOBS", "Jobs of one person that run at once; a film counts as one", "2", "a whole number from 1 to 100", "2"),
    Setting(LIMITS, "REELAY_MAX_WAITING_JOBS", "Jobs of one person that may wait beside them", "20", "a whole number from 0 to 10000", "20"),
    Setting(LIMITS, "REELAY_FILM_PARALLEL", "Scenes of one film that run at once", "4", "a whole number from 1 to 100", "4"),

    Setting(PEOPLE, "REELAY_ALLOWED", "Who may use it", "open while every configured generator is free; with a paid one, admins only", "open, or a list of discord:guild:ID, discord:user:ID, telegram:chat:ID, telegram:user:ID", "discord:guild:81384788765712384,telegram:user:4711"),
    Setting(PEOPLE, "REELAY_ADMINS", "Who may use the admin verbs", "nobody", "a list of discord:ID, telegram:ID", "discord:80351110224678912,telegram:4711"),
    Setting(PEOPLE, "REELAY_WEB_ACCESS", "Who gets into the page where it is not on loopback", "signin", "signin or open", "open"),

    Setting(DISCORD, "DISCORD_TOKEN", "Token of the bot", "none: no Discord", KEY, "MTk4Njky….Cl2FMQ.ZnCjm1…", secret=True),
    Setting(DISCORD, "DISCORD_API_URL", "Root of the REST API, such as a rate-limiting proxy", "https://discord.com/api/v10", "an address that begins with https:// or http://, with a path if it has one", "http://127.0.0.1:8081/api/v10"),
    Setting(DISCORD, "DISCORD_GATEWAY_URL", "Gateway, in place of the one that Discord names", "the one that Discord names", "an address that begins with wss:// or ws://", "ws://127.0.0.1:8082"),
    Setting(DISCORD, "DISCORD_PROXY", "HTTP proxy to Discord; it may carry a login, so it is treated as a secret", "none", "an address that begins with http:// or https://", "http://proxy.example.org:3128", secret=True),
    Setting(DISCORD, "DISCORD_PUBLIC_KEY", "Public key of the application, for the HTTP interactions endpoint", "none: gateway only", "64 hexadecimal digits", "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"),

    Setting(TELEGRAM, "TELEGRAM_TOKEN", "Token of the bot", "none: no Telegram", KEY, "123456789:AAHdqTcv…", secret=True),
    Setting(TELEGRAM, "TELEGRAM_API_URL", "Root of the Bot API; files come from the same root", "https://api.telegram.org", ROOT, "http://127.0.0.1:8083"),
    Setting(TELEGRAM, "TELEGRAM_LOCAL_SERVER", "Whether that root is a local Bot API server, which takes files up to 2 GB", "no", "yes or no", "yes"),
    Setting(TELEGRAM, "TELEGRAM_LOCAL_FOLDER", "Folder in which that server keeps its files; pictures are read from below it and from nowhere else on this disk", "none: pictures come by HTTP only", "the path of a folder", "/var/lib/telegram-bot-api"),
    Setting(TELEGRAM, "TELEGRAM_PROXY", "HTTP proxy to Telegram; it may carry a login, so it is treated as a secret", "none", "an address that begins with http:// or https://", "http://proxy.example.org:3128", secret=True),
    Setting(TELEGRAM, "TELEGRAM_WEBHOOK_SECRET", "Secret of the webhook; with it and an https REELAY_PUBLIC_URL on port 443, 80, 88 or 8443 updates come by webhook", "none: polling", "1 to 256 letters, digits, _ or -", "p3Vt0X2m…", secret=True),

    Setting(GOOGLE, "GEMINI_API_KEY", "Key for Omni; with GOOGLE_GENAI_USE_VERTEXAI a key of Vertex express mode, for Veo", "none", KEY, "AIza…", secret=True),
    Setting(GOOGLE, "GOOGLE_API_KEY", "The same under its other name", "none", KEY, "AIza…", secret=True),
    Setting(GOOGLE, "GOOGLE_GENAI_USE_VERTEXAI", "Whether the key is one of Vertex express mode, for Veo", "no", "yes or no", "yes"),
    Setting(GOOGLE, "GOOGLE_CLOUD_PROJECT", "Project on Vertex, for Veo with application default credentials", "none", "a project's id, without blanks", "my-films-481516"),
    Setting(GOOGLE, "GOOGLE_CLOUD_LOCATION", "Location on Vertex", "us-central1", "a location, without blanks", "us-central1"),
    Setting(GOOGLE, "GOOGLE_API_BASE_URL", "Root of Google's API", "Google's own", ROOT, "http://127.0.0.1:8084"),
    Setting(GOOGLE, "VEO_MODEL", "Model id of Veo", BUILT_FOR, MODEL, "veo-3.1-generate-001"),
    Setting(GOOGLE, "OMNI_MODEL", "Model id of Omni", BUILT_FOR, MODEL, "gemini-omni-1.2-flash"),

    Setting(REPLICATE, "REPLICATE_API_TOKEN", "Token", "none: no Replicate", KEY, "r8_…", secret=True),
    Setting(REPLICATE, "REPLICATE_BASE_URL", "Root of the API", "https://api.replicate.com", ROOT, "http://127.0.0.1:8085"),
    Setting(REPLICATE, "REPLICATE_MODEL", "Model id", BUILT_FOR, MODEL, "google/veo-3.1-fast"),

    Setting(OVI, "FAL_KEY", "Key for fal", "none", KEY, "0a1b2c3d-…:0123…", secret=True),
    Setting(OVI, "FAL_QUEUE_URL", "Root of fal's queue", "https://queue.fal.run", ROOT, "http://127.0.0.1:8086"),
    Setting(OVI, "HF_TOKEN", "Token for Hugging Face, whose router leads to fal", "none", KEY, "hf_…", secret=True),
    Setting(OVI, "HF_ROUTER_URL", "Root of the router", "https://router.huggingface.co", ROOT, "http://127.0.0.1:8087"),
    Setting(OVI, "OVI_MODEL", "Model id of Ovi", BUILT_FOR, MODEL, "fal-ai/ovi"),

    Setting(OWN, "LONGCAT_VIDEO_ENDPOINT", "Address of a server that keeps the contract of self-hosted generators, such as one for LongCat; of LocalAI where it ends with /video", "none: no LongCat", "an address that begins with https:// or http://", "http://127.0.0.1:8088"),
    Setting(OWN, "LONGCAT_API_KEY", "Key for it, if it wants one", "none", KEY, "lc-…", secret=True),
    Setting(OWN, "LONGCAT_MODEL", "Model id of LongCat", BUILT_FOR, MODEL, "longcat-video"),
    Setting(OWN, "COMFYUI_URL", "Address of a ComfyUI server", "none: no ComfyUI", ROOT, "http://127.0.0.1:8188"),
    Setting(OWN, "COMFYUI_WORKFLOW", "Workflow in ComfyUI's API format", "the one that comes with Reelay", "the path of a JSON file", "./workflow.json"),

    Setting(SCENES, "OPENAI_API_KEY", "Key for an OpenAI-compatible scene writer", "none", KEY, "sk-…", secret=True),
    Setting(SCENES, "OPENAI_BASE_URL", "Its root; /v1 behind it is taken off", "https://api.openai.com", "an address that begins with https:// or http://", "http://127.0.0.1:11434"),
    Setting(SCENES, "SCENES_MODEL", "Model id of the scene writer", BUILT_FOR, MODEL, "gpt-5-mini"),
    Setting(SCENES, "CHARACTER_MODEL", "Model id of the painter of characters", BUILT_FOR, MODEL, "gemini-3-pro-image"),
)
# fmt: on

BY_NAME = {setting.name: setting for setting in SETTINGS}

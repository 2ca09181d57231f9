"""What ``reelay doctor`` asks Telegram: whether it takes the token, what the bot may see, and which way its updates come. Changes nothing.

Safe beside a running process: neither call takes updates. Of another program's webhook only the host is shown, and of Telegram's own words
nothing that could be an address: tokens stand in such.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from telegram.error import InvalidToken, TelegramError

from bot.platforms.telegram.building import HOOK_PORTS, Address
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.transport import TooFast
from bot.probe import Finding

PART: Final = "telegram"
ASK_SECONDS: Final = 15.0
"""For each of the two calls."""
TELEGRAMS_OWN: Final = "api.telegram.org"
FRESH_SECONDS: Final = 3600.0
"""A failed delivery that is older, and nothing waits: it was mended."""
COMPLAINT_MOST: Final = 120

_ADDRESS: Final = re.compile(r"\S*://\S*|\S*[0-9]{6,}:\S*")


async def look(at: Address, *, running: bool) -> list[Finding]:
    """Everything that can be said of the bot; ``running``: Reelay itself runs with these settings."""
    found = _local(at)
    client = Client(at.token, at.api_url, proxy=at.proxy)
    try:
        await client.initialize_requests()
        me = await _ask(client, "getMe")
        return [*found, *_who(me), *_way(at, await _ask(client, "getWebhookInfo"), running=running)]
    except InvalidToken:
        advice = "copy it from @BotFather once more (/mybots, API Token) into TELEGRAM_TOKEN, and start again"
        return [*found, Finding("fault", PART, "Telegram refuses TELEGRAM_TOKEN", advice)]
    except TooFast as error:
        return [*found, Finding("note", PART, f"Telegram asks us to wait for {error.seconds:g} s", "try again then")]
    except (TelegramError, TimeoutError, KeyError, TypeError, ValueError) as error:
        why = error.message if isinstance(error, TelegramError) else type(error).__name__
        host = urlsplit(at.api_url).netloc
        advice = "look at the network, at TELEGRAM_API_URL and at TELEGRAM_PROXY"
        return [*found, Finding("fault", PART, f"{host} does not answer as Telegram does ({_shown(why)})", advice)]
    finally:
        await client.close_requests()


async def _ask(client: Client, method: str) -> Mapping[str, Any]:
    async with asyncio.timeout(ASK_SECONDS):
        found = await client.raw(method, seconds=ASK_SECONDS)
    if not isinstance(found, Mapping):
        raise TypeError("no object")
    return found


def _local(at: Address) -> list[Finding]:
    """The settings of a local server against each other and the disk."""
    if at.is_local and urlsplit(at.api_url).hostname == TELEGRAMS_OWN:
        text = "TELEGRAM_LOCAL_SERVER is set, but TELEGRAM_API_URL is Telegram's own server, which refuses clips above 50 MB"
        return [Finding("fault", PART, text, "set TELEGRAM_API_URL to your server, or unset TELEGRAM_LOCAL_SERVER")]
    if at.local_folder is None:
        if not at.is_local:
            return []
        text = "a local server hands pictures out as files of its folder, and TELEGRAM_LOCAL_FOLDER is not set: none can be read"
        return [Finding("note", PART, text, "set it to the folder that the server is given by --dir")]
    if not (at.local_folder.is_dir() and os.access(at.local_folder, os.R_OK | os.X_OK)):
        text = f"TELEGRAM_LOCAL_FOLDER {at.local_folder} cannot be read: no picture that people send"
        return [Finding("fault", PART, text, "share it with this user (or mount it at the same path)")]
    return [Finding("ok", PART, f"files of the local server are read from {at.local_folder}")]


def _who(me: Mapping[str, Any]) -> list[Finding]:
    name = f"@{me['username']}"
    found = [Finding("ok", PART, f"Telegram takes the token of {name} (id {int(me['id'])})")]
    if me.get("can_read_all_group_messages"):
        text = "privacy mode is off: every message of its groups is sent to it, and it drops what is not for it"
        advice = "nothing to do if that is meant; else @BotFather, /setprivacy, and add it to its groups anew"
        found.append(Finding("note", PART, text, advice))
    else:
        text = f"privacy mode is on: in groups it sees commands such as /video{name}, and replies to it"
        found.append(Finding("ok", PART, text))
    if not me.get("can_join_groups", True):
        advice = "nothing to do if that is meant; else @BotFather, /setjoingroups"
        found.append(Finding("note", PART, "it cannot be added to groups", advice))
    if me.get("supports_inline_queries"):
        found.append(
            Finding("ok", PART, f"inline mode is on: {name} and a word offer people their own clips in any chat")
        )
    else:
        found.append(Finding("ok", PART, "inline mode is off (@BotFather, /setinline, switches it on)"))
    return found


def _way(at: Address, known: Mapping[str, Any], *, running: bool) -> list[Finding]:
    """Which way updates come, why, and whether they do."""
    told, hook = str(known.get("url") or ""), at.webhook
    if hook is None:
        found = [_polled(at)]
        if told:
            text = f"a webhook is set at {_host(told)}: while it stands, Telegram lets nobody poll"
            found.append(
                Finding(
                    "note", PART, text, "Reelay takes it away when it starts; if it comes back, who else has the token?"
                )
            )
        return found
    found = [Finding("ok", PART, f"updates come by webhook to {hook[0]}")]
    if told != hook[0]:
        where = f"knows {_host(told)} in its place" if told else "knows no webhook"
        if running:
            advice = "Reelay sets it within 5 minutes; if it does not stay, who else has the token?"
            found.append(Finding("note", PART, f"Telegram {where}", advice))
        return found
    return [*found, *_delivered(known, running=running)]


def _polled(at: Address) -> Finding:
    if at.webhook_secret is None:
        return Finding("ok", PART, "updates are polled: no webhook is configured")
    if at.public_url is None:
        why = "REELAY_PUBLIC_URL is not set"
    else:
        ports = ", ".join(str(port) for port in sorted(HOOK_PORTS))
        why = f"Telegram delivers by https to the ports {ports} only, and REELAY_PUBLIC_URL is {at.public_url}"
    text = f"updates are polled although TELEGRAM_WEBHOOK_SECRET is set: {why}"
    return Finding("note", PART, text, "set REELAY_PUBLIC_URL to such an address, or unset the secret")


def _delivered(known: Mapping[str, Any], *, running: bool) -> list[Finding]:
    """How the last deliveries went."""
    waiting, failed_at = int(known.get("pending_update_count") or 0), int(known.get("last_error_date") or 0)
    age = max(0, round(time.time() - failed_at))
    if not failed_at or (not waiting and age > FRESH_SECONDS):
        return [Finding("ok", PART, f"Telegram reaches the webhook; updates that wait: {waiting}")]
    text = (
        f"the last delivery that failed was {age // 60} min ago: {_shown(str(known.get('last_error_message') or '?'))}"
    )
    text = f"{text}; updates that wait: {waiting}"
    if waiting and running:
        advice = "look at REELAY_PUBLIC_URL, its certificate, and what stands in front of Reelay; Telegram tries again for a day"
        return [Finding("fault", PART, text, advice)]
    return [Finding("note", PART, text, "nothing to do if Reelay was stopped or the network was away then")]


def _host(address: str) -> str:
    return urlsplit(address).hostname or "an address without a host"


def _shown(words: str) -> str:
    """Telegram's words without what could be an address or a token in them."""
    clean = _ADDRESS.sub("…", " ".join(words.split()))
    return clean if len(clean) <= COMPLAINT_MOST else f"{clean[: COMPLAINT_MOST - 1]}…"

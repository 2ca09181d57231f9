"""The lab by hand: ``python -m tests.lab`` starts the vendor, the strict chat and Reelay between them, and prints where they are.

Type a prompt to order it in the chat, ``show`` to see the room, ``journal`` for the vendor's billing; end with Ctrl-D.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.lab.chat import ChatServer
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Vendor


def main() -> None:
    """Run until the input ends."""
    environ = {"REELAY_DAILY_CREDITS": "unlimited", "REELAY_GLOBAL_DAILY_CREDITS": "unlimited"}
    with (
        tempfile.TemporaryDirectory(prefix="reelay-lab-") as folder,
        Vendor(default=Script(seconds=8.0)) as vendor,
        ChatServer() as chat,
    ):
        generators = [{"name": "lab", "url": vendor.url, "poll_seconds": [0.5, 1.0]}]
        with Reelay(Path(folder), generators=generators, environ={**environ, "LAB_CHAT": chat.url}) as reelay:
            reelay.start()
            print(f"Reelay   {reelay.url}\nvendor   {vendor.url}\nchat     {chat.url}\nfolder   {folder}", flush=True)
            for line in sys.stdin:
                answer(line.strip(), vendor, chat)


def answer(line: str, vendor: Vendor, chat: ChatServer) -> None:
    """Do what was typed."""
    if line == "show":
        for message in chat.chat.shown():
            clip = "" if message.clip is None else f"  [clip of {message.clip} bytes]"
            print(f"{message.id}: {message.text}{clip}\n", flush=True)
    elif line == "journal":
        for entry in vendor.journal:
            print(f"{entry.call:8} {entry.job or '-':6} {entry.status}", flush=True)
        print(f"billed: {sum(vendor.paid.values())}", flush=True)
    elif line:
        print(f"update {chat.chat.say('you', line)}", flush=True)


if __name__ == "__main__":
    main()

"""A strict Discord on 127.0.0.1: REST, gateway, CDN, signed HTTP interactions, and people who use it.

How a test uses it (it lives in a thread of its own, so that nothing here needs to be awaited)::

    from tests.lab.discord import Discord, File
    from tests.lab.waiting import until, until_async

    with Discord() as discord:                       # a thread of its own; port 0; the folder goes away with it
        guild = discord.add_guild("Cinema", locale="de", tier=0)      # bot=False: the bot is not in it
        room = discord.add_channel(guild, "general")                  # adults_only=…, kind=FORUM
        thread = discord.add_thread(room)                             # in a forum: a post;  discord.archive(thread, locked=True)
        ada = discord.add_person("ada", guild, locale="de", installed=False)
        boss = discord.add_role(guild, "boss", May.MANAGE_GUILD);  discord.grant(ada, guild, boss)
        group = discord.add_group(ada, bob)                           # where only user-installed applications reach
        home = ada.direct()                                           # the direct message with the bot

        # the program: discord.token, discord.api_url (…/api/v10), discord.gateway_url (ws://…/gateway), discord.public_key,
        # discord.url (where CDN links lead); it is there once discord.gateway.connected == 1, and its commands are
        # discord.commands.of(None) (or of(guild.id)), every overwrite is noted in discord.commands.syncs
        ada.enter(room)                              # or name the place as the last positional argument, each time
        use = ada.slash("video", prompt="a lighthouse", image=File("cat.png", data))            # or "admin quota"
        until(lambda: use.acknowledged)              # in a coroutine: await until_async(…)
        use.message                                  # Seen: text, labels, buttons, media, clip, thinking, ephemeral, accent …
        use.followups, use.failed, use.modal, use.choices, use.seconds, use.history
        ada.autocomplete("video", "model", "ve", prompt="x").choices  # once it is answered
        ada.menu("Animate this", seen);  ada.user_menu("Animate avatar", bob)
        form = ada.press(seen, "Remix")              # label, emoji, custom_id or verb, as the message stands now
        ada.submit(form, {"Prompt": "…"}, picture=[File(…)])          # by label or custom_id
        ada.choose(seen, "custom_id", "value");  ada.say(room, "hi", File(…));  ada.delete(seen)
        ada.messages()                               # list[Seen], what ada sees there; ada.messages(other_room)
        ada.download(seen.clip)                      # by its link;  seen.clip.data without
        ada.history(seen)                            # list[Moment]: at (Unix seconds), text, seen; discord.edits_of(seen): times
        seen.spoken, seen.aloud                      # what a screen reader says, stop by stop
        ada.notifications                            # messages that rang her bell

What the client does not offer raises ``Impossible`` (a command that is not synced, a button that is gone, a bad option). Switches:

=====================================================  =========================================================================
``discord.drop_gateway(4000)``                         0: without a word
``discord.delay(0.05)``                                every REST call; ``delay(2, "create_message")``
``discord.fail("update_message", 502, times=3)``       429, 500, 502, 503 …;  ``discord.lose_answers("create_message")``
``discord.revoke_token()``                             401, 4004;  ``discord.kill_token(use.interaction)``: 50027
``discord.refuse_uploads_above(1000)``                 40005 whatever was promised
``discord.delete_message(seen)``                       by a moderator;  ``discord.remove_bot(guild)`` kicks it
``discord.clock.advance(901)``                         tokens age, links expire, windows pass; ``Discord(now=…)`` takes a clock
``discord.on("create_message").after(2)``              scripted faults by operation id (``*`` any): ``.times(n)`` and then
                                                       ``.rate_limit(7, scope="shared", via=False)``, ``.refuse(50013)``,
                                                       ``.status(503)``, ``.page(413)``, ``.cut_before()``, ``.cut_after()``,
                                                       ``.error_after(500)``, ``.stall(s)``, ``.slow(s)``, ``.garble()``
``discord.desk.registration_seconds``                  10015 straight after the answer;  ``discord.desk.over_report`` bytes
``discord.limits.limits["webhook"] = (5, 2.0)``        buckets (requests, seconds); ``.global_limit``, ``.old_edits``, ``.ban_count``
``discord.limits.invalid``                             the invalid requests of the last ten minutes
``discord.run(discord.gateway.op(7))``                 reconnect; ``op(9, False)``; ``close(4000)``, ``close(0)`` cuts; ``raw(text)``
``discord.gateway.…``                                  ``heartbeat_seconds acknowledges privileged keep_seconds copies replay_more``
                                                       ``identify_budget identify_seconds max_concurrency shards``
                                                       ``sharding_required``; what came: ``identifies resumes closes connected``
``discord.tell("INTERACTION_CREATE", {…})``            dispatch anything, also what is malformed
``discord.use_endpoint(url)``                          interactions by signed POST; ``discord.endpoint.spoil`` tampers
``discord.cdn.down = 503``                             every download fails;  ``.ephemeral_seconds``, ``discord.forms.link_seconds``
``discord.delete_channel delete_guild archive``        things vanish; ``discord.leave(ada, guild)``
``discord.set_permissions(room, deny=…)``              the bot's rights there; for a role or person: second argument
``ada.user.takes_messages = False``                    50007
=====================================================  =========================================================================

``discord.journal``: every request (``requests("update_message", 429)``, ``rate_limited()``, ``malformed()``), dispatch, and change of
anybody's screen (``of("created")``, ``of("edited", message=id)``, ``of("deleted")``, ``of("notified")``), in memory and as JSON
lines. ``of("unshown")``: files that no component of their message shows, which Discord takes and nobody sees.
Operation ids of the interaction routes: ``create_interaction_response``, ``update_original_webhook_message``, ``execute_webhook``
(a follow-up), ``update_webhook_message``; by the bot's token: ``create_message``, ``update_message``, ``create_dm``.

Thousands of people at once, in a process of their own, with the time of each first answer: ``tests.lab.discord.load``.

Every request is held against the official OpenAPI document and the rules that it lacks; every answer of the simulator against the
document as well, and leaving the ``with`` block fails if one was wrong. It was never compared with the real Discord; what is not
documented is a guess of ours and says so where it stands.
"""

from __future__ import annotations

from tests.lab.discord.offers import Impossible
from tests.lab.discord.permissions import EVERYONE, May
from tests.lab.discord.person import File, Person, Use
from tests.lab.discord.server import TOKEN, Discord
from tests.lab.discord.sight import Button, Picture, Seen
from tests.lab.discord.world import FORUM, TEXT, Channel, Guild, Message, Moment, Role

__all__ = [
    "EVERYONE",
    "FORUM",
    "TEXT",
    "TOKEN",
    "Button",
    "Channel",
    "Discord",
    "File",
    "Guild",
    "Impossible",
    "May",
    "Message",
    "Moment",
    "Person",
    "Picture",
    "Role",
    "Seen",
    "Use",
]

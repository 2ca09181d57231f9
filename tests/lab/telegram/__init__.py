"""A strict Telegram on 127.0.0.1: the Bot API server, and people who use it.

How a test uses it (it lives in a thread of its own, so that nothing here needs to be awaited)::

    from tests.lab.telegram import File, Telegram, picture
    from tests.lab.waiting import until, until_async

    with Telegram() as telegram:                     # port 0; Telegram(local=True): the operator's own server, file:// and 2000 MB
        ada = telegram.add_person("ada", language="de")               # started=True: has written to the bot before
        group = telegram.add_group("Cinema", ada, bob)                # a basic group that ada made; the bot is in it, privacy mode on
        room = telegram.add_supergroup("Cinema", ada)                 # bots=[]: without the bot
        forum = telegram.add_supergroup("Clips", ada, forum=True);  topic = telegram.add_topic(forum, "Films")

        # the program: telegram.token, telegram.api_url (…/bot<token>/<method> and …/file/bot<token>/<path> come behind it),
        # telegram.bot (username, id); it is there once telegram.queue.polls == 1 (0 again soon after it died);
        # the server itself is away from telegram.stop() until telegram.start(port)
        ada.start();  ada.start("demo");  ada.follow("https://t.me/reelay_bot?start=demo")
        ada.enter(topic)                             # a chat, a topic, None for the private chat; or name the place each time
        seen = ada.say("/video@reelay_bot a lighthouse")              # say(text, place, reply_to=seen)
        ada.reply(seen, "…");  ada.edit(seen, "…");  ada.delete(seen)
        ada.photo(picture(), "caption");  ada.document(File("a.png", data, "image/png"), "caption");  ada.video(File(…))
        ada.album([picture(), picture()], "caption", order=[1, 0], pause=0.1)   # one update each
        until(lambda: ada.received())                # list[Seen] that the bot wrote here;  ada.messages(): everybody
        card = ada.received()[-1]                    # text kind labels buttons rows clip picture shown reply_to thread reactions asks
        card.clip.data, card.clip.measures, card.clip.thumbnail, card.clip.cover;  card.marked("bold")
        card.button("Cancel").data                   # .url .copies .style
        ada.look(card)                               # as it is now, None once it is gone;  ada.history(card): list[Moment]
        press = ada.press(card, "Cancel");  until(lambda: press.answered);  press.text, press.alert, press.seconds
        asked = ada.inline("light");  until(lambda: asked.results);  asked.send(0)
        ada.action()                                 # "upload_video" while it stands there;  ada.menu(): [(command, description)]
        ada.react(card, "👍");  ada.block();  ada.block(blocked=False);  ada.leave(room);  ada.notifications

What the client does not offer raises ``Impossible``. Switches:

=====================================================  =========================================================================
``telegram.delay(0.05)``                               every request; ``delay(2, "sendVideo")``
``telegram.fail("sendVideo", 502, times=3)``           HTML and 502 or 504; 429;  ``telegram.lose_answers("sendVideo")``
``telegram.refuse("sendMessage", "Bad Request: …")``   in these words (``status=403``)
``telegram.on("sendVideo").after(2)``                  scripted faults by method (``*`` any, ``download`` files): ``.times(n)`` and then
                                                       ``.rate_limit(7728)``, ``.refuse(400, "Bad Request: …")``, ``.status(502)``,
                                                       ``.cut_before()``, ``.cut_after()``, ``.error_after(504)``, ``.stall(s)``
                                                       (late effect), ``.slow(s)`` (late answer), ``.garble()``, ``.sink(bytes/s)``
``telegram.limits``                                    ``.on private group overall actions penalty refused``; ``.hold(chat, 7728)``: 429
``telegram.revoke_token()``                            401 for the old token;  ``telegram.bot.logged_out``
``telegram.refuse_uploads_above(1000)``                413;  ``telegram.shelf.download_limit``, ``.expire_links()``, ``.keep = False``
``telegram.promote(chat, ada, anonymous=True)``        nobody named: the bot, which sees everything then
``telegram.bot.sees_all = True``                       privacy mode off, for groups it enters from now on
``telegram.remove_bot(chat)  add_bot_to(chat)``        ``restrict_bot(chat, "can_send_messages")``
``telegram.migrate(group)``                            returns the supergroup;  ``telegram.deactivate(ada)``
``telegram.close_topic delete_topic delete_message``   ``telegram.general(forum)``: the topic that is always there
``telegram.queue``                                     updates: ``.again(id)`` tells one twice, ``.skip()`` random numbers, ``.waiting``,
                                                       ``.polls``, ``.slowing``;  another poller: just call getUpdates
``telegram.hooks.proxies["https://clips.example"]``    where a webhook's public address leads to on this machine; ``.first_retry``
``telegram.answers.callback_seconds``                  how long a pressed button waits
``telegram.office.whole_albums``                       one visible picture shows a bot in privacy mode the album
``telegram.clock.advance(86400)``                      updates and links age, limits refill; ``Telegram(now=…)`` takes a clock
``telegram.add_bot("other_bot")``                      another, with a token and a queue (``telegram.office.queues[bot.id]``)
=====================================================  =========================================================================

``telegram.journal``: every request (``requests("sendVideo", 429)``), ``update``, ``confirmed``, ``hook``, ``download``, and what people
saw (``of("created")``, ``of("edited", message=id)``, ``of("deleted")``, ``of("reacted")``), in memory and as JSON lines. ``of("ignored")``:
thumbnails that Telegram drops without a word; ``of("unused")``: files that no parameter names. ``telegram.malformed()``: requests that the
official document does not allow; ``telegram.rate_limited()``; ``telegram.complaints()``: all that a good program leaves empty at the
end of a journey (malformed or needlessly refused requests, pressed buttons without an answer, thumbnails and files for nothing).

In a process of its own, with a crowd and the time of each first answer: ``tests.lab.telegram.load``.

Every request, answer and update is held against Bot API 10.0's list of methods and types; leaving the ``with`` block fails if the simulator
said something wrong. It was never compared with the real Telegram: words and rules are those of the documentation and of the published
server source, and where these are silent a guess that says so where it stands. Not simulated: channels, business accounts, payments, polls,
stickers, voice, Markdown, files by web address, quotes, forwarding.
"""

from __future__ import annotations

from tests.lab.telegram.gestures import Asked, File, Impossible, Press
from tests.lab.telegram.media import picture
from tests.lab.telegram.person import Person
from tests.lab.telegram.server import Telegram
from tests.lab.telegram.sight import Button, Seen, Shown
from tests.lab.telegram.world import Bot, Chat, Message, Moment, Place, Topic

__all__ = [
    "Asked",
    "Bot",
    "Button",
    "Chat",
    "File",
    "Impossible",
    "Message",
    "Moment",
    "Person",
    "Place",
    "Press",
    "Seen",
    "Shown",
    "Telegram",
    "Topic",
    "picture",
]

"""``/api/films``: order a film, edit its storyboard, approve it, and order scenes again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from aiohttp import web

from bot.engine.film_orders import PLAN, SHAPE, with_fields
from bot.engine.status import STATUS, applied_fields
from bot.platforms.web.accounts import Caller
from bot.platforms.web.answers import answer
from bot.platforms.web.files import send_picture
from bot.platforms.web.requests import read_form, read_json
from bot.platforms.web.site import Site
from core.errors import BadOption, NotFound
from core.films import SCENE_CHARACTERS, FilmPlan, Scene
from core.jobs import JobKind
from storage.films import FilmRow

NAMES: Final = {"number_of_scenes": "scenes", "character_description": "character"}
"""Fields of ``/api/mv`` that mean the same here."""


class FilmRoutes:
    """Handlers of the film calls."""

    def __init__(self, site: Site) -> None:
        """Uses the site's engine."""
        self._site, self._engine = site, site.engine

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        prefix = "/api/films"
        app.router.add_post(prefix, self.order)
        app.router.add_post(f"{prefix}/estimate", self.estimate)
        app.router.add_get(f"{prefix}/{{id}}", self.film)
        app.router.add_patch(f"{prefix}/{{id}}", self.change)
        app.router.add_post(f"{prefix}/{{id}}/approve", self.approve)
        app.router.add_post(f"{prefix}/{{id}}/retry", self.retry)
        app.router.add_post(f"{prefix}/{{id}}/rewrite", self.rewrite)
        app.router.add_post(f"{prefix}/{{id}}/repaint", self.repaint)
        app.router.add_post(f"{prefix}/{{id}}/cut", self.cut)
        app.router.add_get(f"{prefix}/{{id}}/character", self.character)
        app.router.add_get("/api/characters", self.characters)
        app.router.add_get("/api/characters/{id}/picture", self.picture)
        app.router.add_delete("/api/characters/{id}", self.forget_character)

    async def order(self, request: web.Request) -> web.Response:
        """202 after the commit: an object, or a form that brings ``image_file`` (the character) and ``song_file``."""
        caller = await self._site.caller(request)
        upload = None
        if request.content_type.startswith("multipart/"):
            fields, upload = await read_form(request, self._engine.parts.clips)
        else:
            fields = await read_json(request)
        with _naming(fields):
            job, is_new = await self._site.order(caller, _named(fields), upload, JobKind.FILM)
        body = {"operation_id": job.id, "status": STATUS[job.state], "applied": applied_fields(job.applied)}
        return answer(body | ({} if is_new else {"repeated": True}), 202)

    async def estimate(self, request: web.Request) -> web.Response:
        """What a film would cost: its storyboard, and then its scenes. Nothing is held."""
        caller = await self._site.caller(request)
        data = await read_json(request)
        said = {name: value for name, value in _named(data).items() if value not in (None, "")}
        fields = {"idea": said.get("prompt", "a film"), **said}
        settings = (await self._engine.parts.store.account(caller.account_id)).settings
        orders = self._engine.intake.films
        with _naming(data):
            offer = await orders.film(fields, settings, caller.account_id, picture=None, song=None)
        wanted, plan, (script, portrait) = offer
        scene = orders.scene(wanted, plan, Scene(1, wanted.prompt[:SCENE_CHARACTERS]), is_first=True)
        price = scene.price * plan.scenes_wanted
        return answer({"storyboard": script + portrait, "scenes": price, "applied": applied_fields(scene.applied)})

    async def film(self, request: web.Request) -> web.Response:
        """The status object with the storyboard."""
        caller = await self._site.caller(request)
        return answer(await self._status(caller, await self._own(caller, request)))

    async def change(self, request: web.Request) -> web.Response:
        """Change the storyboard: ``scenes`` as a whole list in order, and what the order named; all of it or nothing.

        ``version``: refused when older.
        """
        caller = await self._site.caller(request)
        film, data = await self._own(caller, request), await read_json(request)
        version = _version(data)
        legal = {*PLAN, *SHAPE, "scenes", "version"}
        unknown = next((name for name in data if name not in legal), None)
        if unknown is not None or not set(data) - {"version"}:
            raise BadOption("film", unknown or "nothing", ", ".join(sorted(legal)))

        def changed(plan: FilmPlan) -> FilmPlan:
            if "scenes" in data:
                plan = plan.with_scenes(_scenes(data["scenes"], plan))
            return with_fields(plan, {name: data[name] for name in PLAN if name in data})

        film = await self._engine.films.edit(film.job.id, changed, data, version=version)
        return answer(await self._status(caller, film))

    async def approve(self, request: web.Request) -> web.Response:
        """Order every scene; 409 with both prices when it costs more than ``price``, which the person was shown."""
        caller = await self._site.caller(request)
        film, data = await self._own(caller, request), await read_json(request)
        agreed, version = _agreed(data), _version(data)
        film = await self._engine.films.approve(film.job.id, caller.actor, agreed=agreed, version=version)
        return answer(await self._status(caller, film), 202)

    async def retry(self, request: web.Request) -> web.Response:
        """Order scenes again: ``scenes`` (numbers; without: all that came to nothing), ``provider``, ``description``, ``price``."""
        caller = await self._site.caller(request)
        film, data = await self._own(caller, request), await read_json(request)
        numbers = data.get("scenes") or []
        if not isinstance(numbers, list) or not all(type(each) is int for each in numbers):
            raise BadOption("scenes", numbers, "a list of numbers of scenes")
        provider = data.get("provider") or None
        if provider is not None and not isinstance(provider, str):
            raise BadOption("provider", provider, " or ".join(self._engine.parts.providers))
        film = await self._engine.films.retry(
            film.job.id,
            caller.actor,
            numbers,
            provider=provider,
            description=data.get("description") or None,
            agreed=_agreed(data),
        )
        return answer(await self._status(caller, film), 202)

    async def rewrite(self, request: web.Request) -> web.Response:
        """Have one scene of the storyboard written anew."""
        caller = await self._site.caller(request)
        film, data = await self._own(caller, request), await read_json(request)
        number = data.get("scene")
        if type(number) is not int:
            raise BadOption("scene", number, "the number of a scene")
        film = await self._engine.films.rewrite(film.job.id, caller.actor, number)
        return answer(await self._status(caller, film), 202)

    async def repaint(self, request: web.Request) -> web.Response:
        """Have the character painted anew."""
        caller = await self._site.caller(request)
        film = await self._own(caller, request)
        return answer(await self._status(caller, await self._engine.films.repaint(film.job.id, caller.actor)), 202)

    async def cut(self, request: web.Request) -> web.Response:
        """Cut the film anew from what is there."""
        caller = await self._site.caller(request)
        film = await self._own(caller, request)
        return answer(await self._status(caller, await self._engine.films.cut_again(film.job.id)), 202)

    # -------------------------------------------------------------------------------------------------------------------- characters

    async def character(self, request: web.Request) -> web.StreamResponse:
        """The picture that the film's scenes share."""
        caller = await self._site.caller(request)
        film = await self._own(caller, request)
        if film.plan.picture_key is None:
            raise NotFound("no picture", message_id="error.picture_gone")
        return await send_picture(self._site, request, film.plan.picture_key)

    async def characters(self, request: web.Request) -> web.Response:
        """The caller's characters, the last used first."""
        caller = await self._site.caller(request)
        found = await self._engine.parts.films.characters(caller.account_id)
        listed = [
            {"id": each.id, "description": each.description, "picture_url": f"/api/characters/{each.id}/picture"}
            for each in found
        ]
        return answer({"characters": listed})

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """A character's picture."""
        caller = await self._site.caller(request)
        found = await self._engine.parts.films.characters(caller.account_id)
        one = next((each for each in found if each.id == request.match_info["id"]), None)
        if one is None:
            raise NotFound("no such character", message_id="error.picture_gone")
        return await send_picture(self._site, request, one.clip.key)

    async def forget_character(self, request: web.Request) -> web.Response:
        """Keep a character no longer; films that have it still do."""
        caller = await self._site.caller(request)
        for key in await self._engine.parts.films.drop_character(caller.account_id, request.match_info["id"]):
            await self._engine.parts.clips.delete(key)
        return web.Response(status=204)

    # ------------------------------------------------------------------------------------------------------------------------- floor

    async def _own(self, caller: Caller, request: web.Request) -> FilmRow:
        return await self._engine.films.film(request.match_info["id"][:64], caller.account_id)

    async def _status(self, caller: Caller, film: FilmRow) -> dict[str, Any]:
        return await self._site.status(caller, film.job.id)


def _named(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {NAMES.get(name, name): value for name, value in fields.items()}


@contextmanager
def _naming(data: Mapping[str, Any]) -> Iterator[None]:
    """Call a field in a refusal as the caller called it."""
    try:
        yield
    except BadOption as error:
        said = next((said for said, name in NAMES.items() if name == error.field and said in data), error.field)
        if error.field == "prompt" and "prompt" not in data:
            said = "idea"
        if said != error.field:
            raise BadOption(said, error.values["wrote"], error.legal) from error
        raise


def _version(data: Mapping[str, Any]) -> int | None:
    value = data.get("version")
    if value is not None and type(value) is not int:
        raise BadOption("version", value, "the version of the film that was shown")
    return value


def _agreed(data: Mapping[str, Any]) -> int | None:
    value = data.get("price")
    if value is not None and (type(value) is not int or value < 0):
        raise BadOption("price", value, "the credits that were shown")
    return value


def _scenes(given: Any, plan: FilmPlan) -> Sequence[tuple[int | None, str, str]]:
    """Scenes as a client sends them; what it does not say of a known one stays."""
    if not isinstance(given, list):
        raise BadOption("scenes", given, "a list of scenes, each with number or description")
    known = {each.number: each for each in plan.scenes}
    found: list[tuple[int | None, str, str]] = []
    for each in given:
        if not isinstance(each, dict):
            raise BadOption("scenes", each, "a list of scenes, each with number or description")
        number = each.get("number")
        if number is not None and type(number) is not int:
            raise BadOption("scenes", number, "each scene once, by its number")
        old = known.get(number) if number is not None else None
        description = each.get("description", "" if old is None else old.description)
        negative = each.get("negative_description", "" if old is None else old.negative_description)
        found.append((number, description, negative or ""))
    return found

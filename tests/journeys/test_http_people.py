"""Who may call, whose things are whose, and what "forget" leaves."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import TOKENS, Maker, Shared
from tests.lab.api import Api, File
from tests.lab.checker import CANARY, check
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script
from tests.media.hostile import photo

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def owned(shared: Shared) -> dict[str, Any]:
    """A finished picture clip of alice's."""
    api = shared.api("alice")
    job = api.generate_with_image(File(photo(), "a.jpg", "image/jpeg"), prompt="mine", provider="instant")[
        "operation_id"
    ]
    shared.reelay.wait_state(job)
    return api.status(job)


FOREIGN: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/api/video_chat/status", {"operation_id": "{job}"}),
    ("POST", "/api/video_chat/cancel", {"operation_id": "{job}"}),
    ("POST", "/api/video_chat/resend", {"operation_id": "{job}"}),
    ("POST", "/api/video_chat/check_again", {"operation_id": "{job}"}),
    ("DELETE", "/api/video_chat/operations/{job}", None),
    ("PUT", "/api/video_chat/favourites/{clip}", None),
    ("DELETE", "/api/video_chat/favourites/{clip}", None),
    ("GET", "/api/mv/get_video/{clip}", None),
    ("HEAD", "/api/mv/get_video/{clip}", None),
    ("GET", "/api/mv/get_video/{clip}/poster", None),
    ("POST", "/api/mv/get_video/{clip}/link", {}),
    ("GET", "/api/video_chat/sources/{job}", None),
    ("POST", "/api/video_chat/generate", {"prompt": "x", "provider": "instant", "reuse_image_of": "{job}"}),
)


@pytest.mark.parametrize("method, path, data", FOREIGN)
def test_somebody_elses_things_are_not_found(
    shared: Shared, owned: dict[str, Any], method: str, path: str, data: Any
) -> None:
    """Also for the local account, and exactly as a thing that does not exist."""
    names = {"job": owned["operation_id"], "clip": owned["video_id"]}
    nothing = {"job": "0" * 26, "clip": "0" * 32}
    for api in (shared.api("bob"), shared.api(None)):

        def ask(values: dict[str, str], api: Api = api) -> tuple[int, Any]:
            said = None if data is None else json.loads(json.dumps(data).replace("{job}", values["job"]))
            answer = api.request(method, path.format(**values), data=said)
            return answer.status, {**answer.json, "timestamp": None} if answer.body else None

        foreign, missing = ask(names), ask(nothing)
        assert foreign[0] == 404
        assert foreign == missing, "the two must not be told apart"
    assert shared.api("alice").status(owned["operation_id"])["status"] == "completed"
    assert shared.api("alice").status(owned["operation_id"])["favourite"] is False


def test_somebody_elses_things_are_in_no_list(shared: Shared, owned: dict[str, Any]) -> None:
    for query in ({}, {"session_id": ""}, {"before": "z" * 26}, {"only": "with_image"}):
        found = [each["operation_id"] for each in shared.api("bob").operations(limit=200, **query)["operations"]]
        assert owned["operation_id"] not in found
    archive = zipfile.ZipFile(io.BytesIO(shared.api("bob").get("/api/export").body))
    assert owned["operation_id"] not in archive.read("jobs.json").decode()


def test_nobody_without_a_token_is_let_in_from_elsewhere(shared: Shared) -> None:
    """The local account exists only when Host is loopback and no proxy passed the call on."""
    assert shared.api(None).get("/api/me")["kind"] == "local"
    assert shared.api("alice").get("/api/me")["kind"] == "program"
    port = shared.reelay.url.rsplit(":", 1)[1]
    assert Api(shared.reelay.url, headers={"Host": f"localhost:{port}"}).get("/api/me").status == 200
    for headers in (
        {"Host": "reelay.example"},
        {"Host": f"127.0.0.1.example:{port}"},
        {"Host": "[::ffff:1.2.3.4]"},
        {"Host": ""},
        {"Host": "[bad"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Forwarded-Host": "reelay.example"},
        {"Forwarded": "for=203.0.113.7"},
        {"X-Real-IP": "203.0.113.7"},
        {"Via": "1.1 proxy"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {TOKENS['alice']}x"},
        {"Cookie": "reelay_session=0.9999999999999.k.00"},
    ):
        api = Api(shared.reelay.url, headers=headers)
        if "Cookie" in headers:
            assert api.get("/api/me")["kind"] == "local", "a forged cookie is no cookie"
            continue
        for method, path in (
            ("GET", "/api/me"),
            ("POST", "/api/video_chat/generate"),
            ("GET", "/api/events"),
            ("POST", "/api/session"),
        ):
            answer = api.request(method, path, data={} if method == "POST" else None)
            assert answer.status in {400, 401}, (headers, path, answer.body)
            if answer.status == 401:
                assert answer["error_code"] == "AUTHENTICATION_ERROR"


def test_another_page_cannot_write(shared: Shared) -> None:
    port = shared.reelay.url.rsplit(":", 1)[1]
    local = shared.api(None)
    ours = {"Origin": f"http://127.0.0.1:{port}"}
    assert local.request("PATCH", "/api/me", data={"settings": {"notify": True}}, headers=ours).status == 200
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", f"http://localhost:{port}", f"https://evil.example:{port}", "file://",
                   f"http://127.0.0.1:{port}.evil.example", "http://[", "http://127.0.0.1:x", ""):  # fmt: skip
        for method, path in (("POST", "/api/video_chat/generate"), ("PATCH", "/api/me"), ("POST", "/api/forget"), ("POST", "/api/session"),
                             ("DELETE", "/api/video_chat/operations/x"), ("PUT", "/api/video_chat/favourites/x")):  # fmt: skip
            answer = local.request(method, path, data={"prompt": "x", "confirm": "forget"}, headers={"Origin": origin})
            assert (answer.status, answer["error_code"]) == (403, "NOT_ALLOWED"), (origin, path)


def test_the_page_may_load_nothing_from_elsewhere_and_stand_in_no_frame(shared: Shared) -> None:
    answer = Api(shared.reelay.url).get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert b"<script>" not in answer.body


# ------------------------------------------------------------------------------------------------------------------ public address


@pytest.fixture(scope="module")
def public(make: Maker, canned: Path) -> Reelay:
    """A Reelay behind a public address, where people sign in."""
    generators = [{"kind": "instant", "name": "instant", "price": 10, "clip": str(canned)}]
    return make(environ={"REELAY_PUBLIC_URL": "https://clips.example"}, generators=generators).start()


def test_a_signin_link_works_once(public: Reelay) -> None:
    token = public.signin()
    nobody = Api(public.url)
    assert nobody.get("/api/me").status == 401, "behind a public address loopback is nobody special"
    assert nobody.post("/api/session").status == 401
    assert nobody.request("HEAD", f"/?signin={token}").status == 200, "whoever only looks does not use it up"
    answer = nobody.get(f"/?signin={token}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    said = answer.headers["Set-Cookie"]
    assert "HttpOnly" in said
    assert "SameSite=Lax" in said
    assert "Secure" in said
    cookie = said.split(";")[0]
    mine = Api(public.url, cookie=cookie)
    assert mine.get("/api/me")["kind"] == "signed_in"
    again = nobody.get(f"/?signin={token}")
    assert (again.status, again.headers["Location"]) == (303, "/?signin_failed=1")
    assert "Set-Cookie" not in again.headers
    assert nobody.get("/?signin=reelay_wrong").headers["Location"] == "/?signin_failed=1"

    order = {"prompt": "x"}
    assert mine.post("/api/video_chat/generate", order).status == 403, "a cookie without an Origin"
    evil = mine.post("/api/video_chat/generate", order, headers={"Origin": "https://evil.example"})
    assert evil.status == 403
    fine = mine.post("/api/video_chat/generate", order, headers={"Origin": "https://clips.example"})
    assert fine.status == 202
    public.wait_state(fine["operation_id"])
    status = mine.status(fine["operation_id"], headers={"Origin": "https://clips.example"})
    link = mine.post(f"{status['video_url']}/link", headers={"Origin": "https://clips.example"})
    assert link["url"].startswith("https://clips.example/api/mv/get_video/")
    for position in (0, 5, len(cookie) - 1):
        changed = cookie[:15] + cookie[15:][:position] + "f" + cookie[15:][position + 1 :]
        if changed != cookie:
            assert Api(public.url, cookie=changed).get("/api/me").status == 401


def test_open_access_lets_browsers_in_and_shares_one_allowance(make: Maker, canned: Path) -> None:
    environ = {"REELAY_PUBLIC_URL": "http://clips.example", "REELAY_WEB_ACCESS": "open", "REELAY_DAILY_CREDITS": "25"}
    generators = [{"kind": "instant", "name": "instant", "price": 10, "clip": str(canned)}]
    reelay = make(environ=environ, generators=generators).start()
    assert "Sign in once" not in reelay.text
    nobody = Api(reelay.url, headers={"Origin": "http://clips.example"})
    assert nobody.get("/api/me").status == 401, "a GET makes no account"
    assert reelay.value("SELECT COUNT(*) FROM accounts") == 0
    people = []
    for _ in range(2):
        answer = nobody.post("/api/session")
        assert (answer.status, answer["kind"]) == (200, "anonymous")
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        people.append(Api(reelay.url, cookie=cookie, headers={"Origin": "http://clips.example"}))
    first, second = people
    assert first.me()["account"] != second.me()["account"]
    job = first.ordered()
    assert second.me()["credits"]["today"]["left"] == 15
    assert second.post("/api/video_chat/status", {"operation_id": job}).status == 404
    assert second.generate().status == 202
    refused = first.generate()
    assert (refused.status, refused["error_code"]) == (402, "QUOTA_EXCEEDED")
    fresh = nobody.post("/api/session").headers["Set-Cookie"].split(";")[0]
    third = Api(reelay.url, cookie=fresh, headers={"Origin": "http://clips.example"})
    assert third.generate().status == 402, "a new browser gets no new allowance"
    reelay.wait_quiet()
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []


# ------------------------------------------------------------------------------------------------------------------------- forget


def test_privacy_says_who_gets_the_prompt(shared: Shared, make: Maker) -> None:
    said = Api(shared.reelay.url).get("/api/privacy").json
    assert set(said) == {"title", "paragraphs", "first_use"}
    assert "The Laboratory" in " ".join(said["paragraphs"])
    assert "The Laboratory" in said["first_use"]
    del make


def test_the_export_holds_everything_of_mine(shared: Shared, owned: dict[str, Any]) -> None:
    answer = shared.api("alice").get("/api/export")
    assert answer.headers["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.body))
    assert archive.testzip() is None
    jobs = {job["id"]: job for job in json.loads(archive.read("jobs.json"))}
    assert jobs[owned["operation_id"]]["wanted"]["prompt"] == "mine"
    assert archive.read(f"clips/{owned['video_id']}.mp4") == shared.api("alice").get(owned["video_url"]).body
    assert any(name.startswith("sources/") for name in archive.namelist())
    ledger = json.loads(archive.read("ledger.json"))
    assert {"hold", "charge"} <= {line["kind"] for line in ledger}


def bytes_of(folder: Path) -> bytes:
    """Everything in a data folder, whatever its name."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_forget_leaves_not_one_byte(make: Maker, canned: Path) -> None:
    """Prompts, pictures, clips, sessions and keys of a person are gone from database, log and folder, while the process runs."""
    from tests.lab.vendor import Vendor

    with Vendor() as vendor:
        vendor.on("unfinished", Script(seconds=None))
        environ = {"LAB_TOKENS": json.dumps({name: TOKENS[name] for name in ("alice", "bob")})}
        generators = [
            {"kind": "instant", "name": "instant", "price": 10, "clip": str(canned)},
            {"name": "lab", "url": vendor.url},
        ]
        reelay = make(environ=environ, generators=generators).start()
        alice, bob = (Api(reelay.url, token=TOKENS[name]) for name in ("alice", "bob"))
        word = "xylophone-meringue-8852"
        negative, session, key = "gargoyle-tangerine-41", "session-marzipan-93", "key-cassowary-17"
        done = alice.ordered(f"{word} done", negative_prompt=negative, session_id=session, idempotency_key=key)
        pictured = alice.generate_with_image(photo(), prompt=f"{word} pictured")["operation_id"]
        running = alice.ordered(f"{word} unfinished", provider="lab")
        deleted = alice.ordered(f"{word} deleted")
        refused = alice.generate(f"{word} refused", duration=5)
        assert refused.status == 400
        odd = alice.generate("x", negative_prompt="x", aspect_ratio=word[:20])
        assert odd.status == 400
        bobs = bob.ordered("bob's own words")
        for job in (done, pictured, deleted, bobs):
            reelay.wait_state(job)
        reelay.wait_state(running, "generating")
        assert alice.delete(deleted).status == 204
        video = alice.status(done)["video_url"]
        before = bytes_of(reelay.data)
        assert word.encode() in before
        account = alice.me()["account"]

        assert alice.post("/api/forget", {"confirm": "yes"}).status == 400
        answer = alice.post("/api/forget", {"confirm": "forget"}, seconds=60)
        assert answer.status == 200
        assert answer["erased"]["clips"] == 2
        assert vendor.of("unfinished")[0].cancelled

        after = bytes_of(reelay.data) + reelay.log.read_bytes()
        for trace in (word, negative, session, key, word[:20], TOKENS["alice"]):
            assert trace.encode() not in after, f"{trace} is still there"
        assert alice.get("/api/me").status == 401
        assert bob.get(video).status == 404
        assert bob.status(bobs)["status"] == "completed"
        lines = reelay.rows("SELECT kind, account_id FROM ledger WHERE account_id = ?", account)
        assert {line["kind"] for line in lines} == {"hold", "charge", "release"}, (
            "the money's lines stay under a pseudonym"
        )
        kept = {path.name for path in (reelay.data / "clips").rglob("*.*") if path.is_file()}
        assert kept == {
            name
            for row in reelay.rows("SELECT key, poster_key FROM clips")
            for name in (row["key"], row["poster_key"])
            if name is not None
        }
        assert reelay.stop() == 0
        assert CANARY not in reelay.text
        assert word.encode() not in bytes_of(reelay.data)


def test_forgetting_is_no_way_to_a_fresh_allowance(make: Maker, canned: Path) -> None:
    generators = [{"kind": "instant", "name": "instant", "price": 10, "clip": str(canned)}]
    reelay = make(environ={"REELAY_DAILY_CREDITS": "10"}, generators=generators).start()
    local = Api(reelay.url)
    reelay.wait_state(local.ordered())
    assert local.generate().status == 402
    assert local.post("/api/forget", {"confirm": "forget"}).status == 200
    assert local.operations()["operations"] == []
    assert local.generate().status == 402
    reelay.wait_quiet()
    assert reelay.stop() == 0

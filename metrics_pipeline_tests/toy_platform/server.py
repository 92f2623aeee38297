"""A small Mastodon server on loopback: one account, its posts, and whatever else a test wants it to be."""

from __future__ import annotations

from datetime import datetime, timedelta

from metrics_pipeline_tests.platforms.loopback import Asked, Loopback, Reply

ACCOUNT_ID = "109302"
TOKEN = "toy-token"
PAGE = 40


class MastodonServer(Loopback):
    """`statuses` are newest first, as the API lists them; any token but TOKEN is refused."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self.followers = 1200
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        # Three pages' worth: a hundred of today with 3 favourites each, ten of a week ago, one that is too old.
        instants = [today] * 100 + [today - timedelta(days=7)] * 10 + [today - timedelta(days=400)]
        self.statuses = [_status(1000 - place, at) for place, at in enumerate(instants)]
        self.answer = self._answer

    def _answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply({"error": "The access token is invalid"}, 401)
        if asked.path == f"/api/v1/accounts/{ACCOUNT_ID}":
            return Reply(
                {
                    "id": ACCOUNT_ID,
                    "username": "acme",
                    "followers_count": self.followers,
                    "following_count": 12,
                    "statuses_count": len(self.statuses),
                }
            )
        if asked.path == f"/api/v1/accounts/{ACCOUNT_ID}/statuses":
            before = int(asked.params.get("max_id", "9999"))
            older = [status for status in self.statuses if int(str(status["id"])) < before]
            return Reply(older[: min(PAGE, int(asked.params["limit"]))])
        one = [status for status in self.statuses if asked.path == f"/api/v1/statuses/{status['id']}"]
        return Reply(one[0]) if one else Reply({"error": "Record not found"}, 404)


def _status(number: int, at: datetime) -> dict[str, object]:
    return {
        "id": str(number),
        "created_at": at.isoformat(),
        "url": f"https://mastodon.example/@acme/{number}",
        "content": "<p>Hello</p>",
        "favourites_count": 3,
        "reblogs_count": 2,
        "replies_count": 0,
    }

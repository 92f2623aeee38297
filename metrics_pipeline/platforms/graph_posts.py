"""Posts over the Graph API: edges listed by cursor, and what an edge no longer shows looked up one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from metrics_pipeline.platforms.contract import AccountResult, Post
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.graph_errors import REDUCE_DATA
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience

PAGE_SIZE = 50  # smaller pages are tried when the platform asks for less
SMALLEST_PAGE = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """A post, the counters that its own fields held, by the name of their source, and who it says wrote it."""

    post: Post
    counts: Mapping[str, float] = field(default_factory=dict)
    author: str | None = None


Parse = Callable[[Fields], Listed | None]


@dataclass(frozen=True, slots=True)
class Found:
    """The posts that are there; or, with `refusal`, an account whose known posts are all out of sight."""

    posts: list[Listed]
    refusal: PlatformError | None = None


class PostFinder:
    """Finds the posts of one account. `parse` reads one object as a post, None for what is none.

    Args:
        prefix: what stands before an id in a path: the API version.
        fields: the fields asked of every post.
        label: how the parser calls a post where it reports unknown fields.
    """

    def __init__(
        self,
        session: Session,
        prefix: str,
        fields: str,
        parse: Parse,
        label: str,
        patience: Patience,
        result: AccountResult,
    ) -> None:
        self._session = session
        self._prefix = prefix
        self._fields = fields
        self._parse = parse
        self._label = label
        self._patience = patience
        self._result = result

    async def find(self, edges: Iterable[tuple[str, datetime | None]], known: Sequence[str]) -> Found:
        """Every post of the edges (path, oldest publication) and the known ones they do not show.

        What was found, and what is gone, goes into the result's posts.
        """
        listed: list[Listed] = []
        for path, oldest in edges:
            listed += await self._list(path, oldest)
        posts = list({one.post.post_id: one for one in listed}.values())
        self._result.posts += [one.post for one in posts]
        missing = sorted(set(known) - {one.post.post_id for one in posts})
        there, gone = await self._look_up(missing)
        self._result.posts += [one.post for one in there]
        if len(gone) > 1 and not posts and not there:
            # Every post gone at once is a token that lost its sight, not a wave of deletions.
            return Found(
                [], PlatformError(Act.PERMISSION, "none of the account's known posts is visible to this token")
            )
        self._result.posts += gone
        return Found(posts + there)

    async def _list(self, path: str, oldest: datetime | None) -> list[Listed]:
        """An edge, newest first, down to the posts published before `oldest`."""
        posts: list[Listed] = []
        after: str | None = None
        limit = PAGE_SIZE
        while True:
            params = {"fields": self._fields, "limit": str(limit)} | ({"after": after} if after else {})
            try:
                answer = await self._session.get(path, params)
            except PlatformError as error:
                if error.code != REDUCE_DATA or limit <= SMALLEST_PAGE:
                    raise
                limit = max(limit // 2, SMALLEST_PAGE)
                continue
            page: list[Listed] = []
            with Fields(answer.body, self._label, self._result.unknown_fields) as body:
                for entry in body.children("data"):
                    with entry:
                        post = self._parse(entry)
                        if post is not None:
                            page.append(post)
                following = next_cursor(body)
            posts += [p for p in page if oldest is None or p.post.published_at is None or p.post.published_at >= oldest]
            last = page[-1].post.published_at if page else None
            # A page may be empty and still have a successor: only a missing `next`, a cursor that stands still or
            # an old post ends the list.
            if following in (None, after) or (oldest is not None and last is not None and last < oldest):
                return posts
            after = following

    async def _look_up(self, ids: Sequence[str]) -> tuple[list[Listed], list[Post]]:
        """The known posts a listing did not show: (still there, gone)."""
        there: list[Listed] = []
        gone: list[Post] = []
        for post_id in ids:
            try:
                answer = await self._session.get(f"/{self._prefix}/{post_id}", {"fields": self._fields})
            except PlatformError as error:
                if error.act is Act.SKIP_OBJECT:
                    gone.append(Post(post_id, deleted=True))
                else:
                    self._patience.weigh(error)
                continue
            self._patience.succeeded()
            with Fields(answer.body, self._label, self._result.unknown_fields) as entry:
                post = self._parse(entry)
                if post is not None:
                    there.append(post)
        return there, gone


def next_cursor(body: Fields) -> str | None:
    """The cursor of the next page; never the ready-made URL, which carries the token."""
    paging = body.child("paging")
    if paging is None:
        return None
    with paging:
        more = paging.text("next") is not None
        paging.ignore("previous")
        cursors = paging.child("cursors")
        if cursors is None:
            return None
        with cursors:
            cursors.ignore("before")
            after = cursors.text("after")
            return after if more else None

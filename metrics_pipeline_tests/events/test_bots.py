"""Crawlers are flagged; people, and the servers that pass on what people did, are not."""

from __future__ import annotations

import pytest

from metrics_pipeline.events.bots import CRAWLER, HEADLESS, LIBRARY, bot_reason
from metrics_pipeline.events.model import Handover
from metrics_pipeline_tests.events.samples import NOW, columns, like

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
HEADLESS_CHROME = CHROME.replace("Chrome/", "HeadlessChrome/")

CRAWLERS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp)",
    "ia_archiver",
    "TelegramBot (like TwitterBot)",
    "Pingdom.com_bot_version_1.4",
]
PEOPLE = [
    CHROME,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 9) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 SamsungBrowser/4.0 TV Safari/537.36",
    "Clips/3.2 (com.example.clips; build:120; iOS 17.5) CFNetwork/1496 Darwin/23.5",
    "okhttp/4.12.0",
    "Dart/3.4 (dart:io)",
]


@pytest.mark.parametrize("agent", CRAWLERS)
def test_crawlers_are_flagged(agent: str) -> None:
    assert bot_reason(agent, of_viewer=False) == CRAWLER


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_are_not(agent: str) -> None:
    assert bot_reason(agent, of_viewer=False) is None
    assert bot_reason(agent, of_viewer=True) is None


def test_a_headless_browser_is_flagged() -> None:
    assert bot_reason(HEADLESS_CHROME, of_viewer=False) == HEADLESS


def test_a_library_tells_only_where_the_viewer_used_it() -> None:
    """A server that passes on events sends its own agent in the header."""
    assert bot_reason("python-requests/2.31", of_viewer=False) is None
    assert bot_reason("python-requests/2.31", of_viewer=True) == LIBRARY


def test_the_flag_is_stored_and_the_agent_is_not() -> None:
    by_header = columns(like(), Handover("acme", NOW, user_agent=CRAWLERS[0]))
    assert (by_header["is_bot"], by_header["bot_reason"]) == (True, CRAWLER)
    by_event = columns(like(user_agent=CHROME), Handover("acme", NOW, user_agent=CRAWLERS[0]))
    assert by_event["is_bot"] is False
    assert not any("Mozilla" in str(value) for value in (*by_header.values(), *by_event.values()))

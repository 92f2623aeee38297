"""Telling crawlers and scripts by the user agent, which is looked at and never stored.

Published lists of crawlers also name HTTP libraries such as okhttp and python-requests. Those are what our own
Android clients and our users' servers send with, so a list of that kind would leave whole platforms out of every
count. Here a request's header gives away only what calls itself a crawler; a library counts where the event itself
says that the *viewer* used it.
"""

from __future__ import annotations

import re
from functools import lru_cache

CRAWLER, HEADLESS, LIBRARY = "crawler", "headless_browser", "http_library"

# Longer ones are cut: the names stand at the start, and the search has to stay short.
LONGEST_USER_AGENT = 512

_CRAWLER = re.compile(
    r"bot\b|bot[/_;-]|crawl|spider|slurp|archiver|scrapy|facebookexternalhit|mediapartners-google|feedfetcher"
    r"|google-(?:read-aloud|inspectiontool|extended)|googleother|bingpreview|yahoo link preview|whatsapp/"
    r"|embedly|quora link preview|skypeuripreview|slack-imgproxy|lighthouse|pagespeed|gtmetrix|pingdom"
    r"|uptime|statuscake|site24x7|newrelicpinger|datadog|monitoring|validator|preview service"
)
_HEADLESS = re.compile(r"headless|phantomjs|puppeteer|playwright|selenium|slimerjs|electron-fetch")
_LIBRARY = re.compile(
    r"^(?:curl|wget|python|aiohttp|httpx|go-http-client|java/|apache-httpclient|libwww-perl|lwp|ruby|php|guzzle"
    r"|node-fetch|axios|undici|got |postman|insomnia|httpie|powershell)"
)


@lru_cache(maxsize=4096)
def bot_reason(user_agent: str | None, *, of_viewer: bool) -> str | None:
    """Which rule takes this user agent for a bot, None for a person or where nothing is known.

    `of_viewer`: the event names it as the viewer's own; otherwise it is the header of the request that brought it.
    """
    if not user_agent:
        return None
    agent = user_agent[:LONGEST_USER_AGENT].lower()
    if _HEADLESS.search(agent):
        return HEADLESS
    if _CRAWLER.search(agent) and "cubot" not in agent:  # Cubot makes telephones
        return CRAWLER
    return LIBRARY if of_viewer and _LIBRARY.search(agent) else None

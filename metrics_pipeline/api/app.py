"""The application: routes, errors, and who may call from a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from metrics_pipeline.api.answers import ODD_REQUESTS, Problem
from metrics_pipeline.api.cors import BrowserOrigins
from metrics_pipeline.api.definitions.described import definition_components
from metrics_pipeline.api.definitions.refusals import add_definition_handlers
from metrics_pipeline.api.operations.last_resort import LastResort
from metrics_pipeline.api.operations.operations import Operations
from metrics_pipeline.api.operations.plain_requests import PlainRequests
from metrics_pipeline.api.operations.request_log import RequestLog
from metrics_pipeline.api.operations.requests import Requests
from metrics_pipeline.api.problems import add_handlers
from metrics_pipeline.api.routes import (
    accounts,
    admin,
    cache,
    content,
    creators,
    dashboard,
    definition_values,
    definitions,
    events,
    health,
    lists,
    live,
    metrics,
    realtime,
    snapshots,
    triggers,
    users,
    webhooks,
)
from metrics_pipeline.api.services import Services


class Api(FastAPI):
    """FastAPI, whose description also has the shape of errors."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        document["components"]["schemas"].update(definition_components())
        stream = document["paths"]["/v1/live"]["get"]["responses"]["200"]["content"]["text/event-stream"]
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"] = {**ODD_REQUESTS, **operation["responses"]}
        stream.clear()  # FastAPI describes its events in a way that 3.1, which the document says it is, does not have
        return document


def make_app(services: Services) -> FastAPI:
    """The application on open services; it closes them when it stops."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        services.warming.start()
        await services.counts.start()
        await services.live.start()
        yield
        await services.close()

    app = Api(
        title="metrics-pipeline",
        version=version("metrics-pipeline"),
        lifespan=lifespan,
        # operation ids are the routes' names: client generators make method names of them
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    app.state.operations = Operations.of(services)
    add_handlers(app)
    add_definition_handlers(app)
    app.add_middleware(BrowserOrigins, guard=services.guard)
    app.add_middleware(PlainRequests)
    app.add_middleware(LastResort)
    # the last one added is the outermost
    app.add_middleware(Requests, measures=services.measures, log=RequestLog(services.settings))
    app.include_router(events.router)
    app.include_router(content.router)
    app.include_router(accounts.router)
    app.include_router(metrics.router)
    app.include_router(dashboard.router)
    app.include_router(definition_values.router)  # before the next one: it has actions of a metric
    app.include_router(definitions.router)
    app.include_router(lists.router)
    app.include_router(creators.router)
    app.include_router(snapshots.router)
    app.include_router(users.router)
    app.include_router(webhooks.router)
    app.include_router(cache.router)
    app.include_router(triggers.router)
    app.include_router(admin.router)
    app.include_router(realtime.router)
    app.include_router(live.router)
    app.include_router(health.router)
    return app

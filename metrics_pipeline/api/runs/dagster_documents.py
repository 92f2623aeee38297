"""The GraphQL documents that Dagster's web server is sent. They ask for no message: messages hold traces."""

from __future__ import annotations

_RUN = "runId jobName status creationTime startTime endTime tags { key value }"

FIND = """query find_pipeline {
  repositoriesOrError {
    __typename
    ... on RepositoryConnection { nodes { name location { name } jobs { name } } }
  }
}"""

LAUNCH = f"""mutation launch($params: ExecutionParams!) {{
  launchRun(executionParams: $params) {{
    __typename
    ... on LaunchRunSuccess {{ run {{ {_RUN} }} }}
    ... on RunConfigValidationInvalid {{ errors {{ reason path }} }}
    ... on PythonError {{ className }}
  }}
}}"""

RUN = f"""query run($id: ID!) {{
  runOrError(runId: $id) {{ __typename ... on Run {{ {_RUN} }} ... on PythonError {{ className }} }}
}}"""

RUNS = f"""query runs($filter: RunsFilter!, $limit: Int!) {{
  runsOrError(filter: $filter, limit: $limit) {{
    __typename
    ... on Runs {{ results {{ {_RUN} }} }}
    ... on PythonError {{ className }}
  }}
}}"""

SCHEDULER = """query scheduler($selector: RepositorySelector!) {
  repositoryOrError(repositorySelector: $selector) {
    __typename
    ... on Repository {
      schedules {
        name description cronSchedule executionTimezone pipelineName
        scheduleState { status ticks(limit: 1) { status timestamp } }
        futureTicks(limit: 3) { results { timestamp } }
      }
      sensors {
        name description minIntervalSeconds targets { pipelineName }
        sensorState { status ticks(limit: 1) { status timestamp } }
        nextTick { timestamp }
      }
    }
    ... on PythonError { className }
  }
  instance { daemonHealth { allDaemonStatuses { daemonType required healthy lastHeartbeatTime } } }
}"""

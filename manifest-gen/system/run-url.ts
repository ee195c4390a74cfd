import type { Environment } from './child-environment.ts';

/**
 * The pipeline's run, as GitHub Actions and GitLab CI name it to their jobs: for the audit log, so that whoever promotes can look at the
 * run that released a beta. It is text from outside, so nothing but a plain address of some length is taken.
 */
export function runUrl(env: Environment): string | undefined {
  const {
    GITHUB_SERVER_URL: server,
    GITHUB_REPOSITORY: repository,
    GITHUB_RUN_ID: run,
    CI_JOB_URL: job,
  } = env;
  const url = server && repository && run ? `${server}/${repository}/actions/runs/${run}` : job;
  return url !== undefined && url.length <= 200 && plainUrl.test(url) ? url : undefined;
}

const plainUrl = /^https?:\/\/[A-Za-z0-9.-]+(?::\d+)?(?:\/[\w.~-]+)+$/;

/** What stands in the audit log: why, and by which run. */
export function withRun(reason: string | undefined, run: string | undefined): string | undefined {
  if (run === undefined) return reason;
  return reason === undefined ? `run ${run}` : `${reason} (run ${run})`;
}

/** The run in a reason; undefined where nobody wrote one. */
export function runIn(reason: string | undefined): string | undefined {
  const url = /(?:^|\()run (\S+?)\)?$/.exec(reason ?? '')?.[1];
  return url !== undefined && plainUrl.test(url) ? url : undefined;
}

import type { Environment } from '../../../system/child-environment.ts';

/**
 * The pipeline's run, as GitHub Actions and GitLab CI name it to their jobs: for the audit log, so that the person who promotes
 * can see the run that released a beta. It is untrusted text, so only a plain address of limited length is accepted.
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

/** The text in the audit log: why, and by which run. */
export function withRun(reason: string | undefined, run: string | undefined): string | undefined {
  if (run === undefined) return reason;
  return reason === undefined ? `run ${run}` : `${reason} (run ${run})`;
}

/** The run in a reason; undefined if it has none. */
export function runIn(reason: string | undefined): string | undefined {
  const url = /(?:^|\()run (\S+?)\)?$/.exec(reason ?? '')?.[1];
  return url !== undefined && plainUrl.test(url) ? url : undefined;
}

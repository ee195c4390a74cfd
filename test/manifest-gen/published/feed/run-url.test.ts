import { describe, expect, it } from 'vitest';
import { runIn, runUrl, withRun } from '../../../../manifest-gen/published/feed/run-url.ts';

const github = (more: Record<string, string> = {}) => ({
  GITHUB_SERVER_URL: 'https://github.example',
  GITHUB_REPOSITORY: 'acme/tools',
  GITHUB_RUN_ID: '42',
  ...more,
});

describe("a pipeline's run", () => {
  it.each([
    [github(), 'https://github.example/acme/tools/actions/runs/42'],
    [{ CI_JOB_URL: 'https://gitlab.example:8443/a/b/-/jobs/7' }, 'https://gitlab.example:8443/a/b/-/jobs/7'],
    [{}, undefined],
    [github({ GITHUB_RUN_ID: '42\nX-Evil: 1' }), undefined],
    [github({ GITHUB_REPOSITORY: 'a/b) by admin (' }), undefined],
    [github({ GITHUB_SERVER_URL: 'javascript:alert(1)//' }), undefined],
    [{ CI_JOB_URL: 'https://user:secret@gitlab.example/jobs/7' }, undefined],
    [{ CI_JOB_URL: 'https://gitlab.example/jobs/7?private_token=secret' }, undefined],
    [{ CI_JOB_URL: `https://gitlab.example/${'a'.repeat(200)}` }, undefined],
  ])('of %j is %s', (env, expected) => {
    expect(runUrl(env)).toBe(expected);
  });

  it.each([undefined, 'promoted with --now: fixes (all of) it'])(
    'is found again next to the reason %s',
    (reason) => {
      const run = 'https://gitlab.example/a/b/-/jobs/7';
      expect(runIn(withRun(reason, run))).toBe(run);
      expect(runIn(withRun(reason, undefined))).toBeUndefined();
    },
  );
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delveRelease, goreleaserRelease } from '../kit/generator.ts';
import { makeSigningKey, type OidcIssuer, startOidcIssuer } from '../kit/oidc-issuer.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';

const github = {
  sub: 'repo:acme/tools:environment:release',
  repository: 'acme/tools',
  repository_id: '42',
  job_workflow_ref: 'acme/tools/.github/workflows/release.yml@refs/heads/main',
  run_id: '123456',
  run_attempt: '1',
  sha: '8fe1b322a576d59fe6257052a4107df7dc1b8c78',
  actor: 'ann',
};
const gitlab = {
  sub: 'project_path:acme/tools:ref_type:branch:ref:main',
  project_path: 'acme/tools',
  project_id: '7',
  ci_config_ref_uri: 'gitlab.example/acme/tools//.gitlab-ci.yml@refs/heads/main',
  pipeline_id: '77',
  job_id: '770',
  sha: '8fe1b322a576d59fe6257052a4107df7dc1b8c78',
  user_login: 'bob',
};

/** CI jobs without a key release to a feed that trusts them: over real HTTP and git, with tokens of a real issuer. */
describe('release:beta in a CI job without a key', () => {
  let fixture: ReleaseFixture;
  let issuer: OidcIssuer;
  beforeAll(async () => {
    issuer = await startOidcIssuer(undefined, [makeSigningKey('one')]);
    fixture = await startReleaseFixture({
      repositories: {
        'go-delve/delve': [delveRelease('1.26.3'), delveRelease('1.26.2')],
        'goreleaser/goreleaser': [goreleaserRelease('1.20.0')],
      },
      scopes: [],
    });
    await api('issuers', { url: issuer.url, keys: issuer.keySet(), source: 'a test' });
    const both = { issuer: issuer.url, scopes: ['push:beta', 'read'], owner: 'Team Build' };
    await api('publishers', { ...both, name: 'tools', subject: github.sub, claims: { repository_id: '42' } });
    await api('publishers', { ...both, name: 'lab', subject: gitlab.sub, claims: { project_id: '7' } });
  });
  afterAll(() => Promise.all([fixture.stop(), issuer.stop()]));

  async function api(path: string, json?: object) {
    const answer = await fetch(`${fixture.server.url}/api/v1/${path}`, {
      method: json === undefined ? 'GET' : 'POST',
      headers: { 'x-nuget-apikey': fixture.server.adminKey, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    return answer.json();
  }
  const run = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    fixture.generator.run('release:beta', args, { env });
  const tokenOf = (claims: object, aud = fixture.server.url) => issuer.token({ ...claims, aud });

  it('releases from GitHub Actions, and every entry of the audit log leads to the run', async () => {
    const job = issuer.actionsJob(github);

    const { exitCode, stdout, stderr } = await run(['delve'], job);

    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('delve 1.26.3-beta.1: released'),
    });
    expect(issuer.asked.get('/actions/token')).toBe(1);
    expect(stdout + stderr).not.toContain(job.ACTIONS_ID_TOKEN_REQUEST_TOKEN);
    expect(stdout + stderr).not.toMatch(/gwt_|eyJ/);
    const { entries } = (await api('audit')) as {
      entries: { kind: string; keyName: string; detail?: string }[];
    };
    const byRun = entries.filter(({ keyName }) => keyName === 'tools run 123456');
    expect(byRun.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['token exchanged', 'payload added', 'package published', 'bucket moved']),
    );
    expect(byRun[0]?.detail).toMatch(
      /^repository acme\/tools, workflow .*release\.yml@refs\/heads\/main, run 123456, attempt 1, commit 8fe1b322a576d59fe6257052a4107df7dc1b8c78, actor ann, publisher tools/,
    );
    const keys = (await api('keys')) as { name: string; publisher: string | null }[];
    expect(keys.filter(({ publisher }) => publisher !== null)).toMatchObject([
      { name: 'tools run 123456', owner: 'Team Build' },
    ]);
  });

  it('releases from GitLab, once for each token', async () => {
    const env = { FEED_ID_TOKEN: tokenOf(gitlab) };

    expect(await run(['goreleaser'], env)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('goreleaser 1.20.0-beta.1: released'),
    });
    const again = await run(['delve@1.26.2'], env);

    expect(again.exitCode).toBe(1);
    expect(again.stderr).toMatch(/gives no key for the token of this job: .*it was exchanged before/);
    expect(again.stderr).not.toContain(env.FEED_ID_TOKEN);
  });

  it('reads the token from a file, and says what to set for another audience', async () => {
    const file = join(fixture.generator.dir, 'token');
    await writeFile(file, `${tokenOf(gitlab, 'https://other.example')}\n`);

    const { exitCode, stderr } = await run(['delve@1.26.2'], { FEED_ID_TOKEN_FILE: 'token' });

    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `the publisher lab expects the audience "${fixture.server.url}", found "https://other.example"`,
    );
    expect(stderr).toContain('FEED_ID_TOKEN_AUDIENCE');
    const job = { ...issuer.actionsJob(github), FEED_ID_TOKEN_AUDIENCE: 'https://third.example' };
    expect((await run(['delve@1.26.2'], job)).stderr).toContain('found "https://third.example"');
  });

  it('refuses the job of another repository, and tells it nothing of this one', async () => {
    const { exitCode, stderr } = await run(
      ['delve@1.26.2'],
      issuer.actionsJob({ ...github, sub: 'repo:mallory/tools:ref:refs/heads/main' }),
    );

    expect(exitCode).toBe(1);
    expect(stderr).toContain('repo:mallory/tools');
    expect(stderr).not.toContain('acme');
  });

  it('names a token that is missing', async () => {
    const gone = await run(['delve@1.26.2'], { FEED_ID_TOKEN_FILE: 'missing' });
    const stranger = await run(['delve@1.26.2'], {
      ...issuer.actionsJob(github),
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'other',
    });

    expect(gone).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/No OIDC token is available to exchange.*missing cannot be read/),
    });
    expect(stranger).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('GitHub answers 404') });
  });
});

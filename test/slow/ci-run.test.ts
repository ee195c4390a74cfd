import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startForge } from '../kit/forge.ts';
import { delveRelease, goreleaserRelease } from '../kit/generator.ts';
import { makeSigningKey, startOidcIssuer } from '../kit/oidc-issuer.ts';
import { hasProgram, mustRun, type RunResult, run } from '../kit/programs.ts';
import { makeTempDir, productDir, startTestServer } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';

useDisk();

type Lines = string | readonly string[];
type Step = { readonly id?: string; readonly run?: string; readonly 'working-directory'?: string };
type Github = { readonly jobs: Record<string, { readonly steps: readonly Step[] }> };
type GitlabJob = {
  readonly before_script?: Lines;
  readonly script: Lines;
  readonly id_tokens?: Readonly<Record<string, { readonly aud: string }>>;
  readonly variables?: Readonly<Record<string, string>>;
};

const minutes = 60_000;
const programs = ['bash', 'git', 'jq', 'npm', 'paste', 'xargs'] as const;
const missing = programs.filter((program) => !hasProgram(program));

/**
 * The lines of docs/ci themselves, against a server, the first job on a fresh clone of this product: a night with two tools of which one
 * fails, a second night in which nothing is new upstream and the beta still waits, then the approval. No key is stored: the feed trusts
 * the tokens of the jobs, as the pages say.
 */
describe.skipIf(missing.length > 0)(`the nightly pipelines (need ${programs.join(', ')})`, () => {
  let dir: string;
  let source: string;

  beforeAll(async () => {
    dir = await makeTempDir();
    source = join(dir, 'source');
    await copySource(source);
  }, 6 * minutes);
  afterAll(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  /** What a person has pushed as a release: the files that git knows or would know, with a tag. */
  async function copySource(to: string): Promise<void> {
    const listed = await mustRun('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: productDir,
    });
    for (const file of listed.split('\0').filter((name) => name !== '')) {
      await mkdir(dirname(join(to, file)), { recursive: true });
      await cp(join(productDir, file), join(to, file)).catch((error: NodeJS.ErrnoException) => {
        // deleted here and not committed yet
        if (error.code !== 'ENOENT') throw error;
      });
    }
    const git = (...args: string[]) =>
      mustRun('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.test', ...args], { cwd: to });
    await git('init', '--quiet', '--initial-branch=main');
    await git('add', '--all');
    await git('commit', '--quiet', '--no-verify', '-m', 'A release');
    await git('tag', 'v9.9.9');
  }

  /** A server, a forge with a release of delve and none of goreleaser, and a repository with the tools of an organisation. */
  async function startFixture(name: string) {
    const server = await startTestServer();
    const forge = await startForge();
    forge.addRepository('go-delve/delve', [delveRelease('1.26.3')]);
    const broken = goreleaserRelease('1.20.0');
    forge.addRepository('goreleaser/goreleaser', [
      {
        ...broken,
        assets: (broken.assets ?? []).map((asset) => ({ ...asset, bytes: Buffer.from('no zip') })),
      },
    ]);
    const home = join(dir, name);
    const programsDir = join(home, 'bin');
    await mkdir(join(home, 'project', 'tools'), { recursive: true });
    await mkdir(join(home, 'temp'));
    await mkdir(programsDir);
    for (const tool of ['delve', 'goreleaser']) {
      await cp(
        join(productDir, 'manifest-gen', 'tools', `${tool}.yaml`),
        join(home, 'project', 'tools', `${tool}.yaml`),
      );
    }
    // the image of a pipeline installs programs; they are here
    await writeFile(join(programsDir, 'apt-get'), '#!/bin/sh\n');
    await chmod(join(programsDir, 'apt-get'), 0o755);
    const env = {
      PATH: `${programsDir}${delimiter}${process.env.PATH}`,
      FEED_URL: `${server.url}/nuget`,
      GITHUB_API_URL: forge.apiUrl,
      GITHUB_TOKEN: '',
      CACHE_DIR: join(home, 'cache'),
      TOOLS_DIR: join(home, 'project', 'tools'),
      GO_WIN_TOOLS: source,
      GO_WIN_TOOLS_TAG: 'v9.9.9',
    };
    const issuer = await startOidcIssuer(undefined, [makeSigningKey('one', 'ES256')]);
    const post = async (path: string, body: object): Promise<void> => {
      const headers = { 'x-nuget-apikey': server.adminKey, 'content-type': 'application/json' };
      const answer = await fetch(`${server.url}/api/v1/${path}`, {
        ...{ method: 'POST', headers, body: JSON.stringify(body) },
      });
      expect(answer.ok, await answer.text()).toBe(true);
    };
    await post('issuers', { url: issuer.url, keys: issuer.keySet(), source: 'a test' });
    const trust = (publisher: object) => post('publishers', { issuer: issuer.url, ...publisher });
    const stop = async () => {
      await issuer.stop();
      await forge.stop();
      await server.stop();
    };
    return { server, home, env, issuer, trust, stop };
  }

  async function offered(url: string, path: string): Promise<string | undefined> {
    const answer = await fetch(`${url}${path}`);
    return answer.status === 200 ? ((await answer.json()) as { version: string }).version : undefined;
  }

  const bash = (script: string, env: NodeJS.ProcessEnv, cwd: string): Promise<RunResult> =>
    run('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', script], { env, cwd });

  /** What GitLab sets for `id_tokens`. */
  function tokensOf({ id_tokens: wanted = {} }: GitlabJob, sign: (aud: string) => string) {
    return Object.fromEntries(Object.entries(wanted).map(([name, { aud }]) => [name, sign(aud)]));
  }

  it(
    'of GitHub promote what waits, with a failing tool reported by the first job',
    async () => {
      const { jobs } = parse(await readFile(join(productDir, 'docs/ci/github.yml'), 'utf8')) as Github;
      const { server, home, env, issuer, trust, stop } = await startFixture('github');
      const subjects = {
        beta: 'repo:acme/tools:ref:refs/heads/main',
        stable: 'repo:acme/tools:environment:stable',
      };
      await trust({ name: 'night', subject: subjects.beta, scopes: ['push:beta', 'read'] });
      await trust({ name: 'approved', subject: subjects.stable, scopes: ['push', 'read'] });
      const night = issuer.actionsJob({ sub: subjects.beta });
      const approved = issuer.actionsJob({ sub: subjects.stable });
      const temp = join(home, 'temp');
      const runJob = async (job: string, more: Record<string, string>, isFresh = false) => {
        await writeFile(join(temp, 'output'), '');
        for (const { id, run: script, 'working-directory': at } of jobs[job]?.steps ?? []) {
          if (script === undefined || (id === undefined && !isFresh)) continue;
          const cwd = at?.replace(/\$\{\{ runner\.temp \}\}/, temp) ?? join(home, 'project');
          const place = { RUNNER_TEMP: temp, GITHUB_OUTPUT: join(temp, 'output') };
          const result = await bash(script, { ...env, ...place, ...more }, cwd);
          if (id !== undefined) return { ...result, output: await readFile(join(temp, 'output'), 'utf8') };
          expect(result.code, result.stdout + result.stderr).toBe(0);
        }
        throw new Error(`the job ${job} has no step with an id`);
      };
      try {
        const first = await runJob('beta', night, true);
        expect(first.code, first.stderr).not.toBe(0);
        expect(first.stdout).toContain('goreleaser');
        expect(first.output).toBe('waiting=delve\n');
        expect(await offered(server.url, '/m/beta/delve.json')).toBe('1.26.3-beta.1');
        const second = await runJob('beta', night);
        expect(second.output).toBe('waiting=delve\n');

        for (const waiting of ['delve --skip-verify --reason x', '--skip-verify', 'delve@1.26.3 $(id)']) {
          const tricked = await runJob('stable', { ...approved, WAITING: waiting });
          expect([tricked.code, tricked.stdout]).toEqual([
            1,
            expect.stringContaining('is not the name of a tool'),
          ]);
        }
        expect(await offered(server.url, '/m/delve.json')).toBeUndefined();

        const stable = await runJob('stable', { ...approved, WAITING: 'delve' });
        expect(stable.code, stable.stderr).toBe(0);
        expect(await offered(server.url, '/m/delve.json')).toBe('1.26.3');
      } finally {
        await stop();
      }
    },
    12 * minutes,
  );

  it(
    'of GitLab do the same, with a job of its own for what failed',
    async () => {
      const file = parse(await readFile(join(productDir, 'docs/ci/gitlab.yml'), 'utf8')) as {
        default: GitlabJob;
      } & Record<'beta' | 'stable' | 'failures', GitlabJob>;
      const { server, home, env, issuer, trust, stop } = await startFixture('gitlab');
      const subject = 'project_path:acme/tools:ref_type:branch:ref:main';
      await trust({ name: 'beta', subject, scopes: ['push:beta', 'read'] });
      await trust({ name: 'stable', subject, claims: { environment: 'stable' }, scopes: ['push', 'read'] });
      const project = join(home, 'project');
      const runJob = async (job: 'beta' | 'stable' | 'failures') => {
        const before = [file[job].before_script ?? file.default.before_script ?? []].flat();
        // the second job finds the clone of the first one: only what it sets is set again
        const again = before.filter((line: string) => line.startsWith('export '));
        const lines = [job === 'beta' ? before : again, file[job].script].flat();
        const cwd = job === 'stable' ? join(project, '.go-win-tools') : project;
        const environment = job === 'stable' ? { environment: job } : {};
        const tokens = tokensOf(file[job], (aud) =>
          issuer.token({ sub: subject, aud: aud.replace('$FEED_PUBLIC_URL', server.url), ...environment }),
        );
        const place = { CI_PROJECT_DIR: project, ...file[job].variables, ...tokens };
        return bash(lines.join('\n'), { ...env, ...place }, cwd);
      };
      try {
        const beta = await runJob('beta');
        expect(beta.code, beta.stderr).toBe(0);
        expect(await readFile(join(project, 'waiting'), 'utf8')).toBe('delve\n');
        const failures = await runJob('failures');
        expect(failures.code).not.toBe(0);
        expect(failures.stdout).toContain('goreleaser');

        await writeFile(join(project, 'waiting'), 'delve --skip-verify --reason x\n');
        const tricked = await runJob('stable');
        expect([tricked.code, tricked.stdout]).toEqual([
          1,
          expect.stringContaining('is not the name of a tool'),
        ]);
        expect(await offered(server.url, '/m/delve.json')).toBeUndefined();

        await writeFile(join(project, 'waiting'), 'delve\n');
        const stable = await runJob('stable');
        expect(stable.code, stable.stderr).toBe(0);
        expect(await offered(server.url, '/m/delve.json')).toBe('1.26.3');
      } finally {
        await stop();
      }
    },
    12 * minutes,
  );
});

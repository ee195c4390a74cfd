import { join } from 'node:path';
import { Writable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { productVerbs } from '../verbs.ts';
import { makeTempDir, productDir } from './kit/test-server.ts';
import { nowhere } from './kit/upstream-fixture.ts';

const malformed: readonly (readonly [verb: string, ...args: string[]])[] = [
  ['release:beta', 'delve@banana'],
  ['release:beta', '--max-wait', 'banana'],
  ['release:beta', '--source', 'nope'],
  ['release:beta', '--source'],
  ['release:beta', '--from', 'missing.bundle'],
  ['release:promote'],
  ['release:promote', 'delve@banana'],
  ['release:promote', 'delve', '--skip-verify'],
  ['release:promote', 'delve', '--now', '--reason', ''],
  ['release:rollout'],
  ['release:rollout', 'nope', 'delve'],
  ['release:rollout', 'halt', 'delve'],
  ['release:rollout', 'halt', '--reason', 'r'],
  ['release:rollout', 'advance', 'delve@banana'],
  ['release:rollout', 'status', '-'],
  ['release:withdraw'],
  ['release:withdraw', 'delve', '--reason', 'r'],
  ['release:withdraw', 'delve@1.22.0'],
  ['release:withdraw', 'delve@banana', '--reason', 'r'],
  ['release:withdraw', 'delve@1.22.0', '--reason', 'r', '--to', 'banana'],
  ['release:status', 'delve@banana'],
  ['release:verify', 'delve@banana'],
  ['release:verify', '--channel', 'nope'],
  ['release:verify', '--from', 'missing.bundle'],
  ['release:check', 'delve@banana'],
  ['release:check', '--markdown', '--json'],
  ['bucket:rebase'],
  ['bucket:rebase', 'banana'],
  ['bucket:rebase', 'https://feed.test', '--from', 'banana'],
  ['bucket:check', 'missing'],
  ['bundle:create', 'delve'],
  ['bundle:create', 'delve@banana', '--out', 'x.bundle'],
  ['cache:clean', '--older-than', 'x'],
  ['cache:clean', '--older-than', '-1d'],
  ['devbox:create'],
  ['devbox:create', 'dir', '--tool'],
  ['devbox:check', '--json', '--markdown'],
  ['devbox:check', '--size', 'linux'],
  ['devbox:check', '--to-json', 'missing.yaml'],
  ['shims', '--publish', 'nope'],
  ['shims', '--policy', 'missing.yaml'],
  ['feed:export'],
  ['feed:import'],
  ['feed:import', 'missing'],
  ['feed:import', 'https://'],
  ['feed:import', 'http://127.0.0.1:9/nuget', '--newest', 'x'],
  ['feed:import', 'http://127.0.0.1:9/nuget', '--parallel', 'x'],
  ['feed:import', 'http://127.0.0.1:9/nuget', '--user', 'u', '--password-file', 'missing'],
  ['feed:backup'],
  ['feed:audit', 'downloads', '@1.22.0'],
  ['feed:restore'],
  ['feed:restore', 'missing.tgz', '--into', 'new'],
  ['feed:keys', 'nope'],
  ['feed:keys', 'add'],
  ['feed:keys', 'add', '--name', 'n', '--scope', 'nope'],
  ['feed:keys', 'add', '--name', 'n', '--scope', 'read', '--network', 'banana'],
  ['feed:keys', 'add', '--name', 'n', '--scope', 'read', '--expires', 'banana'],
  ['feed:keys', 'rotate'],
  ['feed:keys', 'rotate', 'n', '--overlap', 'banana'],
  ['feed:keys', 'rotate', 'n', '--expires', 'banana'],
  ['feed:keys', 'revoke'],
  ['feed:rings', 'nope'],
  ['feed:rings', 'set', 'canary'],
  ['feed:rings', 'set', 'Canary', 'pc-1'],
  ['feed:rings', 'set', 'canary', 'pc 1'],
  ['feed:rings', 'remove'],
  ['feed:clients', 'nope'],
  ['feed:clients', 'explain'],
  ['feed:clients', 'explain', 'pc 1'],
  ['feed:clients', 'forget', '../pc'],
  ...['feed:unlist', 'feed:relist', 'feed:purge'].flatMap((verb) =>
    [[], ['buf'], ['buf@banana', '--reason', 'why'], ['buf@1.32.0'], ['buf@1.32.0', '--reason', ' ']].map(
      (args) => [verb, ...args] as [string, ...string[]],
    ),
  ),
  ['feed:prune'],
  ['feed:prune', '--betas', '3'],
  ['feed:prune', '--betas', '0', '--older-than', '90d'],
  ['feed:prune', '--betas', '3', '--older-than', '90'],
  ['feed:prune', '--betas', '3', '--older-than', '90d', '--id', 'a b'],
  ['feed:audit', 'nope'],
  ['feed:audit', '--since', 'banana'],
  ['feed:audit', 'follow', '--after', 'x'],
  ['feed:audit', 'follow', '--since', 'banana'],
  ['feed:audit', 'anchor', 'here'],
  ['feed:audit', 'downloads'],
  ['feed:audit', 'downloads', 'delve@banana'],
  ['feed:conformance'],
  ['feed:conformance', 'banana'],
  ['feed:conformance', 'http://127.0.0.1:9/nuget', '--level', 'nope'],
  ['feed:conformance', 'http://127.0.0.1:9/nuget', '--only', 'nope'],
  ['feed:conformance', 'http://127.0.0.1:9/nuget', '--timeout', 'x'],
  ['feed:conformance', 'http://127.0.0.1:9/nuget', '--parallel', 'x'],
  ['feed:conformance', 'http://127.0.0.1:9/nuget', '--api-key-file', 'missing'],
];

describe('malformed arguments', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await makeTempDir();
  });

  it.each([
    ...malformed,
    ...Object.keys(productVerbs).flatMap((verb) => [
      [verb, '--nosuch'],
      // at most the list of tools may be of any length
      ...(/^release:|^bundle/.test(verb) ? [] : [[verb, 'one', 'two', 'three']]),
    ]),
  ])('of %s are exit 2: %s %s %s %s %s %s', async (verb, ...args) => {
    const { exitCode, stdout, stderr } = await run(verb!, args);

    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(/\w/) });
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(stdout).toBe('');
  });

  it.each(Object.keys(productVerbs))('and the help of %s has no exit codes of its own', async (verb) => {
    const { exitCode, stdout } = await run(verb, ['--help']);

    expect(exitCode).toBe(0);
    // main.ts adds the one for all verbs
    expect(stdout).not.toMatch(/exit codes? ?(of|:|\d)/i);
  });

  async function run(verb: string, args: readonly string[]) {
    const [stdout, stderr] = [collect(), collect()];
    const command = (await productVerbs[verb]!.load()).createCommand({
      env: {
        PATH: process.env.PATH,
        HOME: dir,
        DATA_DIR: join(dir, 'data'),
        CACHE_DIR: join(dir, 'cache'),
        GITHUB_API_URL: nowhere,
        FEED_URL: `${nowhere}/nuget`,
        FEED_API_KEY: 'k'.repeat(32),
      },
      stdout: stdout.stream,
      stderr: stderr.stream,
      productDir,
      cwd: dir,
      signal: new AbortController().signal,
      version: '0.0.0-test',
    });
    for (const each of [command, ...command.commands])
      each.exitOverride().configureOutput({ writeOut: stdout.write, writeErr: stderr.write });
    const exitCode = await command
      .name(verb)
      .parseAsync([...args], { from: 'user' })
      .then(
        () => Number(process.exitCode ?? 0),
        (error: Error & { exitCode?: number; code?: string }) => {
          if (error.code?.startsWith('commander.')) return error.exitCode === 0 ? 0 : 2;
          stderr.write(`${error.message}\n`);
          return error.exitCode;
        },
      );
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  }
});

function collect() {
  let all = '';
  const write = (text: string): void => {
    all += text;
  };
  const stream = new Writable({
    write(chunk, _, done) {
      write(String(chunk));
      done();
    },
  });
  return { stream, write, text: () => all };
}

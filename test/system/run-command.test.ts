import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { livingEnvironment } from '../../system/child-environment.ts';
import { runCommand } from '../../system/run-command.ts';
import { failureOf } from '../kit/upstream-fixture.ts';

const program = process.execPath;
const env = livingEnvironment(process.env);
let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'run-command-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const node = (script: string, ...args: string[]) => ({ program, args: ['-e', script, ...args], cwd, env });

describe('a program', () => {
  it('adds one listener to this process, however many run', async () => {
    const before = process.listenerCount('exit');
    const all = Array.from({ length: 15 }, () => runCommand(node('')));
    expect(process.listenerCount('exit')).toBe(before + 1);
    await Promise.all(all);
    expect(process.listenerCount('exit')).toBe(before);
  });

  it('gives its outputs and its exit code as values', async () => {
    const script = 'console.log("out"); console.error("err"); process.exitCode = 3';
    const { exitCode, stdout, stderr } = await runCommand(node(script));
    expect([exitCode, stdout.toString(), stderr]).toEqual([3, 'out\n', 'err\n']);
  });

  it('gets its arguments as they are, whatever a shell would make of them', async () => {
    const args = ['a b', '"q"', '$HOME', '%PATH%', '*', '; exit 9', '&', "it's", ''];
    const { stdout } = await runCommand(
      node('console.log(JSON.stringify(process.argv.slice(1)))', '--', ...args),
    );
    expect(JSON.parse(stdout.toString())).toEqual(args);
  });

  it('sees the environment that is given and nothing else', async () => {
    const { stdout } = await runCommand({
      ...node('console.log(JSON.stringify([process.env.WANTED, process.env.GOFLAGS]))'),
      env: { ...livingEnvironment({ ...process.env, GOFLAGS: '-insecure' }), WANTED: 'yes' },
    });
    expect(JSON.parse(stdout.toString())).toEqual(['yes', null]);
  });

  it('reports each line of stderr as it comes', async () => {
    const lines: string[] = [];
    await runCommand({
      ...node('process.stderr.write("one\\ntwo\\nthr"); process.stderr.write("ee")'),
      onLine: (line) => lines.push(line),
    });
    expect(lines).toEqual(['one', 'two', 'three']);
  });

  it('that is not there is PROGRAM_MISSING', async () => {
    const failure = await failureOf(runCommand({ program: 'no-such-program-here', args: [], cwd, env }));
    expect(failure).toMatchObject({ code: 'PROGRAM_MISSING' });
  });

  it('that writes too much is stopped', async () => {
    const script = 'setInterval(() => process.stdout.write("x".repeat(4096)), 1)';
    const failure = await failureOf(runCommand({ ...node(script), maxOutputBytes: 100_000 }));
    expect(failure).toMatchObject({
      code: 'PROGRAM_FAILED',
      message: expect.stringContaining('more than 100000 bytes'),
    });
  });

  it('is not started when the run is interrupted already', async () => {
    const marker = join(cwd, 'marker');
    const script = `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`;
    const failure = await failureOf(runCommand({ ...node(script), signal: AbortSignal.abort() }));
    expect(failure).toMatchObject({ code: 'INTERRUPTED', exitCode: 130 });
    await expect(readFile(marker)).rejects.toThrow();
  });

  it('ends with everything that it started when the run is interrupted', async () => {
    const controller = new AbortController();
    // the grandchild holds stdout open and does not care for SIGTERM: the run ends only when it is gone as well
    const grandchild =
      'process.on("SIGTERM", () => {}); console.error(process.pid); setInterval(() => {}, 1000)';
    const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' }); setInterval(() => {}, 1000)`;
    let pid = 0;
    const running = runCommand({
      ...node(script),
      signal: controller.signal,
      onLine: (line) => {
        pid = Number(line);
        controller.abort();
      },
    });
    expect(await failureOf(running)).toMatchObject({ code: 'INTERRUPTED' });
    expect(pid).toBeGreaterThan(0);
  });
});

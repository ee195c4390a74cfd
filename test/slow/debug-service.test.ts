import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { connectDap, type DapClient } from '../kit/dap.ts';
import { freePort } from '../kit/free-port.ts';
import { goBuildsDir } from '../kit/go-builds.ts';
import { fencedBlocks } from '../kit/page-commands.ts';
import { hasProgram, isRoot, mustRun } from '../kit/programs.ts';
import { type RuncContainer, startRunc } from '../kit/runc.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

const needed = ['go', 'runc', 'buildah'];
const canRun = process.platform === 'linux' && needed.every(hasProgram) && isRoot();
const templates = join(productDir, 'devbox', 'templates');
const minutes = 60_000;
/** The profile of an engine, as `debug` of compose.yaml has it; it comes with buildah. */
const engineProfile = '/usr/share/containers/seccomp.json';

describe.skipIf(!canRun)('the service under delve (needs go, runc and buildah; as root)', () => {
  let dir: string;
  let rootfs: string;
  let source: string;
  let port: number;
  let address: string;
  let container: RuncContainer;
  let editor: DapClient;

  beforeAll(async () => {
    dir = await makeTempDir();
    rootfs = join(dir, 'rootfs');
    source = join(templates, 'service');
    const bin = join(rootfs, 'usr', 'local', 'bin');
    await mkdir(bin, { recursive: true });
    const { build, entrypoint } = await debugStage();
    await mustRun('sh', ['-c', build.replaceAll('/usr/local/bin', bin)], {
      cwd: source,
      env: {
        CGO_ENABLED: '0',
        GOTOOLCHAIN: 'local',
        GOFLAGS: '-buildvcs=false',
        GOCACHE: goBuildsDir,
        GOWORK: 'off',
      },
    });
    port = await freePort();
    container = await startRunc({
      bundle: join(dir, 'bundle'),
      rootfs,
      args: entrypoint.map((word) => word.replace('2345', String(port))),
      env: ['LISTEN=127.0.0.1:0', 'HOME=/', 'PATH=/usr/local/bin'],
      user: { uid: 65532, gid: 65532 },
      seccomp: await withoutCapabilities(engineProfile),
    });
    const [, found] = await container.says(/"address":"(127\.0\.0\.1:\d+)"/);
    address = found ?? '';
  }, 10 * minutes);

  afterAll(async () => {
    await container?.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  // Delve has one editor at a time: a test that fails must not keep the next one waiting.
  afterEach(() => editor?.end());

  it('stops at a breakpoint that an editor sets, continues, and goes on when the editor leaves', async () => {
    const launch = await launchConfiguration(source);
    const line = await lineOf(join(source, 'main.go'), 'It works.');
    editor = await connectDap(port);
    expect(await editor.ask('initialize', { adapterID: 'go', pathFormat: 'path' })).toMatchObject({
      supportsConfigurationDoneRequest: true,
    });
    await editor.ask('attach', launch);
    await editor.event('initialized');
    const set = await editor.ask('setBreakpoints', {
      source: { path: join(source, 'main.go') },
      breakpoints: [{ line }],
    });
    expect(set).toMatchObject({ breakpoints: [{ verified: true, line }] });
    await editor.ask('configurationDone');

    const answer = fetch(`http://${address}/?from=test`);
    const stopped = Stopped.parse(await editor.event('stopped'));
    expect(stopped).toMatchObject({ reason: 'breakpoint' });
    const { threadId } = stopped;
    const { stackFrames } = Trace.parse(await editor.ask('stackTrace', { threadId, levels: 2 }));
    expect(stackFrames).toEqual([
      expect.objectContaining({ line, source: expect.objectContaining({ path: join(source, 'main.go') }) }),
      expect.objectContaining({ name: 'http.HandlerFunc.ServeHTTP' }),
    ]);
    const inCaller = { expression: 'r.RequestURI', frameId: stackFrames[1]?.id };
    expect(await editor.ask('evaluate', inCaller)).toMatchObject({ result: '"/?from=test"' });

    await editor.ask('continue', { threadId });
    expect(await (await answer).text()).toBe('It works.\n');
    // Delve keeps breakpoints, and the service would stop at them with nobody there.
    await editor.ask('setBreakpoints', { source: { path: join(source, 'main.go') }, breakpoints: [] });
    await editor.ask('disconnect', { terminateDebuggee: false });
    expect(await (await fetch(`http://${address}/`)).text()).toBe('It works.\n');
  });

  it('lets an editor join again', async () => {
    editor = await connectDap(port);
    await editor.ask('initialize', { adapterID: 'go', pathFormat: 'path' });
    await editor.ask('attach', await launchConfiguration(source));
    await editor.event('initialized');
    await editor.ask('configurationDone');
    await editor.ask('disconnect', { terminateDebuggee: false });
    expect(await (await fetch(`http://${address}/`)).text()).toBe('It works.\n');
  });
});

const Stopped = z.looseObject({ reason: z.string(), threadId: z.number() });
const Trace = z.looseObject({
  stackFrames: z.array(z.looseObject({ id: z.number(), line: z.number() })),
});

/** What the stage `debug` of the Dockerfile runs, without its caches, and what it starts. */
async function debugStage(): Promise<{ readonly build: string; readonly entrypoint: readonly string[] }> {
  const text = await readFile(join(templates, 'images', 'linux', 'Dockerfile'), 'utf8');
  const [, stage] = /^FROM build AS debug\n([\s\S]*?)^FROM /m.exec(text) ?? [];
  const [, build] = /^RUN ((?:.*\\\n)*.*)$/m.exec(stage ?? '') ?? [];
  const [, entrypoint] = /^ENTRYPOINT (.*)$/m.exec(stage ?? '') ?? [];
  if (build === undefined || entrypoint === undefined) throw new Error('the Dockerfile has no stage debug');
  return {
    build: build.replace(/--mount=\S+ *\\\n */g, ''),
    entrypoint: z.array(z.string()).parse(JSON.parse(entrypoint)),
  };
}

/** The one of the docs, with the folder that an editor would fill in. The program was built in that folder, not in /src. */
async function launchConfiguration(source: string): Promise<object> {
  const page = await readFile(join(productDir, 'docs', 'devbox', 'debugging.md'), 'utf8');
  const { configurations } = z
    .object({ configurations: z.tuple([z.looseObject({})]) })
    .parse(JSON.parse(fencedBlocks(page, 'json')[0] ?? ''));
  const text = JSON.stringify(configurations[0]).replaceAll('/src', source);
  return JSON.parse(text.replaceAll(`\${workspaceFolder}/service`, source));
}

async function lineOf(file: string, text: string): Promise<number> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
}

/** What an engine makes of its profile for a container without capabilities. */
async function withoutCapabilities(file: string): Promise<object> {
  const Rules = z.object({
    defaultAction: z.string(),
    defaultErrnoRet: z.number(),
    syscalls: z.array(
      z.looseObject({
        includes: z.looseObject({ arches: z.array(z.string()), caps: z.array(z.string()) }).partial(),
      }),
    ),
  });
  const { defaultAction, defaultErrnoRet, syscalls } = Rules.parse(JSON.parse(await readFile(file, 'utf8')));
  const kept = syscalls
    .filter(({ includes: { arches, caps } }) => caps === undefined && (arches?.includes('amd64') ?? true))
    .map(({ names, action, args, errnoRet }) => ({ names, action, args: args ?? [], errnoRet }));
  return { defaultAction, defaultErrnoRet, architectures: ['SCMP_ARCH_X86_64'], syscalls: kept };
}

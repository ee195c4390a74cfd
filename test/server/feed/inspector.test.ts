import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../server/app.ts';
import { inspectHere } from '../../../server/feed/inspect.ts';
import {
  createInspector,
  type InspectorOptions,
  startInspectionThread,
} from '../../../server/feed/inspector.ts';
import { hostileZips } from '../../formats/hostile-zips.ts';
import { nuspec, nuspecText, tool, usePackages } from '../../formats/packages.ts';
import { rawZip } from '../../formats/raw-zip.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { pushNupkg, startTestServer } from '../../kit/test-server.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function open(options: Partial<InspectorOptions> = {}) {
  const inspector = createInspector(options);
  undo.push(inspector.close);
  return inspector;
}

/** Each thread that is started, as it is or as another one. */
function counted(start: () => Worker = startInspectionThread) {
  const threads: Worker[] = [];
  return {
    threads,
    startThread(): Worker {
      const thread = start();
      threads.push(thread);
      return thread;
    },
  };
}

/** A thread that does nothing at all, not even what waits for nothing, before it is let go. */
function held() {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const workerData = {
    gate,
    loader: createRequire(import.meta.url).resolve('tsx/cjs/api'),
    program: join(import.meta.dirname, '../../../server/feed/inspection-thread.ts'),
  };
  const startThread = () =>
    new Worker(
      `const { gate, loader, program } = require('node:worker_threads').workerData;
      Atomics.wait(gate, 0, 0);
      require(loader).register();
      require(program);`,
      { eval: true, workerData, execArgv: [] },
    );
  return {
    startThread,
    letGo() {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
    },
  };
}

const long = makeNupkg({ id: 'long', files: { 'tools/noise.bin': randomBytes(300_000) } });
const manyFiles = (count: number) =>
  makeNupkg({
    files: Object.fromEntries(Array.from({ length: count }, (_one, n) => [`tools/${n}.txt`, `${n}`])),
  });

describe('the inspection of a package', () => {
  const { save, folder } = usePackages();

  it('lets others read while it goes on', async () => {
    const server = await startTestServer();
    undo.push(server.stop);
    const { startThread, letGo } = held();
    undo.push(letGo);
    const { inspect } = open({ startThread });
    const listener = createServer(createApp({ ...server.services, inspect })).listen(0, '127.0.0.1');
    undo.push(() => listener.close().closeAllConnections());
    await once(listener, 'listening');
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    let isAnswered = false;

    const pushing = pushNupkg({ url }, long, server.adminKey).finally(() => {
      isAnswered = true;
    });
    expect((await pushNupkg({ url }, makeNupkg({ id: 'short' }), server.adminKey)).status).toBe(201);
    for (let n = 0; n < 5; n += 1) {
      expect((await fetch(`${url}/nuget/package/short/1.0.0`)).status).toBe(200);
      expect((await fetch(`${url}/nuget/package/long/1.0.0`)).status).toBe(404);
    }
    expect(isAnswered).toBe(false);
    letGo();

    expect((await pushing).status).toBe(201);
    expect(Buffer.from(await (await fetch(`${url}/nuget/package/long/1.0.0`)).arrayBuffer())).toEqual(long);
  });

  it('starts no thread for a small package', async () => {
    const { threads, startThread } = counted();
    const { inspect } = open({ startThread });

    const { nuspec: found, verify, close } = await inspect(manyFiles(28));
    await verify();
    await close();

    expect(found.id).toBe('sample');
    expect(threads).toEqual([]);
  });

  it.each<[string, () => Buffer]>([
    ['more than 32 files', () => manyFiles(29)],
    ['more than 256 KiB of files', () => makeNupkg({ files: { 'tools/a.txt': 'words '.repeat(50_000) } })],
    ['more than 64 KiB of nuspec', () => makeNupkg({ metadata: { releaseNotes: 'words '.repeat(12_000) } })],
    [
      'more than 500 elements in its nuspec',
      () => makeNupkg({ metadataXml: `<dependencies>${'<group/>'.repeat(500)}</dependencies>` }),
    ],
  ])('goes on in a thread for one with %s, however small it is', async (_what, make) => {
    const { threads, startThread } = counted();
    const { inspect } = open({ startThread });
    const bytes = make();
    expect(bytes.length).toBeLessThan(64 * 1024);

    const { nuspec: found, verify, close } = await inspect(bytes);
    await verify();
    await close();

    expect(found).toEqual((await inspectHere(bytes)).nuspec);
    expect(threads).toHaveLength(1);
  });

  it('says of a missing file what the file system does', async () => {
    const { inspect } = open();

    await expect(inspect(join(folder(), 'none'))).rejects.toMatchObject({
      name: 'Error',
      code: 'ENOENT',
      syscall: 'open',
    });
  });

  it('gives its thread back when there is nothing to do, and starts another', async () => {
    const { threads, startThread } = counted();
    const { inspect } = open({ startThread, idleMs: 0 });
    const path = await save(long);

    for (const count of [1, 2]) {
      await (await inspect(path)).close();
      const thread = threads.at(-1);
      if (thread?.threadId !== -1) await once(thread as Worker, 'exit');

      expect(threads).toHaveLength(count);
    }
  });

  it('keeps its thread for one inspection when another ends', async () => {
    const { threads, startThread } = counted();
    const { inspect } = open({ startThread, idleMs: 0 });
    const path = await save(long);
    const [first, second] = await Promise.all([inspect(path), inspect(path)]);

    await first.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await second.verify();
    await second.close();

    expect(threads).toHaveLength(1);
  });

  it('fails when its thread ends, and the next one has a new thread', async () => {
    let isFirst = true;
    const { threads, startThread } = counted(() => {
      const broken = isFirst;
      isFirst = false;
      return broken ? new Worker('process.exit(1)', { eval: true, execArgv: [] }) : startInspectionThread();
    });
    const { inspect } = open({ startThread });
    const path = await save(long);

    await expect(inspect(path)).rejects.toMatchObject({ code: 'INTERNAL', status: 500 });
    const { nuspec: found, close } = await inspect(path);
    await close();

    expect(found.id).toBe('long');
    expect(threads).toHaveLength(2);
  });

  it('ends with 503 when the server stops, with its thread', async () => {
    const { startThread, letGo } = held();
    undo.push(letGo);
    const { threads, ...starts } = counted(startThread);
    const inspector = open(starts);
    const path = await save(long);
    const inspecting = inspector.inspect(path);
    const refused = expect(inspecting).rejects.toMatchObject({ code: 'SHUTTING_DOWN', status: 503 });

    await inspector.close();

    await refused;
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1]);
    await expect(inspector.inspect(path)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});

describe('a thread that inspects packages', () => {
  const { save } = usePackages();
  const { inspect, close } = createInspector();
  beforeAll(async () => (await inspect(await save(long))).close());
  afterAll(close);

  /** Everything that is said of a package, or why it is refused. */
  async function outcomeOf(inspecting: ReturnType<typeof inspect>): Promise<unknown> {
    try {
      const inspection = await inspecting;
      try {
        await inspection.verify();
        return inspection.nuspec;
      } finally {
        await inspection.close();
      }
    } catch (error) {
      const { name, code, message, details } = error as Error & { code: string; details: unknown };
      return { name, code, message, details };
    }
  }

  it.each([
    ...hostileZips.map(([title, zip]) => [title, rawZip(zip)] as const),
    ['what is no zip', Buffer.from('<html>')] as const,
    ['two nuspecs', rawZip({ entries: [nuspec, { ...nuspec, name: 'b.nuspec' }] })] as const,
    ['an entity', rawZip({ entries: [{ ...nuspec, content: nuspecText.replace('>b<', '>&x;<') }] })] as const,
    ['a package', rawZip({ entries: [nuspec, tool] })] as const,
    [
      'the files of a nuspec',
      makeNupkg({ metadata: { icon: 'gone.png', readme: 'tools/readme.txt' } }),
    ] as const,
  ])('says the same as the main thread of %s', async (_title, bytes) => {
    const path = await save(bytes);

    const expected = await outcomeOf(inspectHere(path));

    expect(await outcomeOf(inspect(path))).toEqual(expected);
    expect(await outcomeOf(inspect(bytes))).toEqual(expected);
  });
});

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen } from '../kit/listen.ts';
import { startServe } from '../kit/serve-process.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

describe('OpenTelemetry', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  it.each([
    ['without a collector', {}, false],
    [
      'where it is disabled',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' },
      false,
    ],
    ['with a collector', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, true],
  ] as const)('is loaded by serve %s: %o %s', async (_when, env, isLoaded) => {
    const log = join(dir, 'imports.log');
    const hooks = pathToFileURL(join(productDir, 'test/kit/log-imports.mjs')).href;
    const server = await startServe({ DATA_DIR: join(dir, 'data'), IMPORTS_LOG: log, ...env }, [hooks]);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    await server.end('SIGTERM');

    const imports = (await readFile(log, 'utf8')).split('\n');
    expect(imports).toContain('better-sqlite3');
    const found = imports.filter((name) => /@opentelemetry\/|\/otlp[-.]/.test(name));
    expect(found.length > 0, found.join()).toBe(isLoaded);
  });

  it('holds no process up that stops, where the collector never answers', async () => {
    const collector = await listen(() => undefined);
    const server = await startServe({
      DATA_DIR: join(dir, 'data'),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '3600000',
    });
    expect((await fetch(`${server.url}/nuget/Packages()?$filter=wrong`)).status).toBe(400);

    // In an hour it would give up by itself.
    expect(await server.end('SIGTERM')).toBe(0);
    await collector.stop();
  });
});

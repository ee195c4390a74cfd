import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shippedDir } from '../devbox/observability/shipped.ts';
import { freePort } from '../kit/free-port.ts';
import { goBuildsDir } from '../kit/go-builds.ts';
import { hasProgram, mustRun, run } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { whenEnded } from '../kit/when-ended.ts';

const minutes = 60_000;
const shipped = join(shippedDir, 'otel-collector.yml');

describe.skipIf(!hasProgram('go'))('the configuration of the OpenTelemetry collector (needs go)', () => {
  let dir: string;
  let collector: string;

  beforeAll(async () => {
    dir = await makeTempDir();
    // Kept for all runs of tests: go builds nothing where it is up to date.
    collector = join(testCacheDir, 'otelcol-0.165.0', 'otelcol');
    const cwd = join(import.meta.dirname, 'otelcol');
    // Without what a debugger reads, which takes a third of the time.
    const args = ['build', '-ldflags', '-s -w', '-o', collector, '.'];
    await mustRun('go', args, { cwd, env: { GOCACHE: goBuildsDir, CGO_ENABLED: '0', GOWORK: 'off' } });
  }, 30 * minutes);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('is valid, which a wrong one is not', async () => {
    const valid = await run(collector, ['validate', '--config', shipped]);
    expect(valid.code, valid.stderr).toBe(0);

    const wrong = join(dir, 'wrong.yml');
    await writeFile(wrong, (await readFile(shipped, 'utf8')).replace('check_interval', 'chek_interval'));
    expect((await run(collector, ['validate', '--config', wrong])).stderr).toContain('chek_interval');
  });

  it('takes a trace, and passes it on to TRACES_ENDPOINT', async () => {
    const received: { readonly path: string | undefined; readonly bytes: Buffer }[] = [];
    const backend = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        received.push({ path: request.url, bytes: Buffer.concat(parts) });
        response.end();
      });
    });
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
    const [grpc, http] = [await freePort(), await freePort()];
    const config = join(dir, 'otel-collector.yml');
    const text = (await readFile(shipped, 'utf8'))
      .replace('0.0.0.0:4317', `127.0.0.1:${grpc}`)
      .replace('0.0.0.0:4318', `127.0.0.1:${http}`)
      // Its own metrics would take a port that is not ours.
      .replace('service:\n', 'service:\n  telemetry: { metrics: { level: none } }\n')
      .replace(/^ {2}otlphttp(.*)\}$/gm, '  otlphttp$1, compression: none }');
    await writeFile(config, text);
    const { port } = backend.address() as AddressInfo;
    const env = { ...process.env, TRACES_ENDPOINT: `http://127.0.0.1:${port}` };
    const child = spawn(collector, ['--config', config], { env, stdio: 'ignore' });
    const ended = whenEnded(child);
    const span = {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      ...{ name: 'a span of this test', kind: 2, startTimeUnixNano: '1', endTimeUnixNano: '2' },
    };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    const send = () =>
      fetch(`http://127.0.0.1:${http}/v1/traces`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      }).then(
        ({ status }) => status,
        () => 0,
      );
    try {
      await expect.poll(send, { timeout: 4 * minutes, interval: 500 }).toBe(200);
      await expect
        .poll(() => received.map(({ path, bytes }) => `${path} ${bytes.includes(span.name)}`), {
          timeout: 4 * minutes,
        })
        .toContain('/v1/traces true');
    } finally {
      child.kill('SIGKILL');
      await ended;
      backend.closeAllConnections();
      backend.close();
    }
  });
});

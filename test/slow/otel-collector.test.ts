import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shippedDir as devbox } from '../devbox/observability/shipped.ts';
import { shippedDir as operate } from '../docs/observability/shipped.ts';
import { freePort } from '../kit/free-port.ts';
import { buildCollector, startCollector, startTraceBackend } from '../kit/otelcol.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { makeTempDir } from '../kit/test-server.ts';

const minutes = 60_000;
/** For a DevBox's services, and for the feed itself. */
const configurations = [
  ['devbox', join(devbox, 'otel-collector.yml')],
  ['operate', join(operate, 'otel-collector.yml')],
] as const;

describe.skipIf(!hasProgram('go'))('the configuration of the OpenTelemetry collector (needs go)', () => {
  let dir: string;
  let collector: string;

  beforeAll(async () => {
    dir = await makeTempDir();
    collector = await buildCollector();
  }, 30 * minutes);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it.each(configurations)('is valid (%s), which a wrong one is not', async (_, shipped) => {
    const valid = await run(collector, ['validate', '--config', shipped]);
    expect(valid.code, valid.stderr).toBe(0);

    const wrong = join(dir, 'wrong.yml');
    await writeFile(wrong, (await readFile(shipped, 'utf8')).replace('check_interval', 'chek_interval'));
    expect((await run(collector, ['validate', '--config', wrong])).stderr).toContain('chek_interval');
  });

  it.each(configurations)('takes a trace, and passes it on to TRACES_ENDPOINT (%s)', async (_, shipped) => {
    const backend = await startTraceBackend();
    const [grpc, http] = [await freePort(), await freePort()];
    const config = join(dir, 'otel-collector.yml');
    const text = (await readFile(shipped, 'utf8'))
      .replace('0.0.0.0:4317', `127.0.0.1:${grpc}`)
      .replace('0.0.0.0:4318', `127.0.0.1:${http}`)
      // Its own metrics would take a port that is not ours.
      .replace('service:\n', 'service:\n  telemetry: { metrics: { level: none } }\n')
      .replace(/^ {2}otlphttp(.*)\}$/gm, '  otlphttp$1, compression: none }');
    await writeFile(config, text);
    const span = {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      ...{ name: 'a span of this test', kind: 2, startTimeUnixNano: '1', endTimeUnixNano: '2' },
    };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    const url = `http://127.0.0.1:${http}`;
    const started = await startCollector(collector, config, url, { TRACES_ENDPOINT: backend.url });
    try {
      const headers = { 'Content-Type': 'application/json' };
      expect((await fetch(`${url}/v1/traces`, { method: 'POST', headers, body })).status).toBe(200);
      await expect
        .poll(() => backend.received.map(({ path, bytes }) => `${path} ${bytes.includes(span.name)}`), {
          timeout: 4 * minutes,
        })
        .toContain('/v1/traces true');
    } finally {
      await started.stop();
      backend.stop();
    }
  });
});

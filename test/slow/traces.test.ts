import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSampled } from '../../tracing/sampling.ts';
import { freePort } from '../kit/free-port.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { buildCollector, startCollector, startTraceBackend, type TraceBackend } from '../kit/otelcol.ts';
import { secretHeader, tracingTo } from '../kit/otlp-receiver.ts';
import { hasProgram } from '../kit/programs.ts';
import { openBucketWork } from '../kit/stocked-feed.ts';
import { makeKey, makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';

const minutes = 60_000;
const shares = { publishing: 0.25, other: 0.001 };

type JsonSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: readonly {
    readonly key: string;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
};
type JsonTraces = {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[];
  }[];
};

/** Takes traces, and passes them on as JSON. */
function collectorConfig(port: number, backend: string): string {
  return `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
processors: { batch: { timeout: 200ms } }
exporters: { otlphttp: { endpoint: "${backend}", encoding: json, compression: none } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [otlphttp] } }
`;
}

describe.skipIf(!hasProgram('go'))('traces in a real collector (needs go)', () => {
  const undo: (() => unknown)[] = [];
  let dir: string;
  let backend: TraceBackend;
  let server: TestServer;
  beforeAll(async () => {
    dir = await makeTempDir();
    undo.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
    const collector = await buildCollector();
    backend = await startTraceBackend();
    undo.push(backend.stop);
    const url = `http://127.0.0.1:${await freePort()}`;
    const config = join(dir, 'collector.yml');
    await writeFile(config, collectorConfig(Number(new URL(url).port), backend.url));
    undo.push((await startCollector(collector, config, url)).stop);
    server = await startTestServer({
      accessLog: 'off',
      tracing: { ...tracingTo(url, shares), isCompressed: true },
    });
    undo.push(() => server.stop());
  }, 30 * minutes);
  afterAll(async () => {
    for (const step of undo.reverse()) await step();
  }, minutes);

  const spans = (): readonly JsonSpan[] =>
    backend.received.flatMap(({ bytes }) =>
      (JSON.parse(String(bytes)) as JsonTraces).resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap((scope) => scope.spans),
      ),
    );
  /** The sampled trace that a publisher asks for, so that the test needs no luck. */
  const asked = (id: string) => `00-${id.repeat(16)}-00000000000000a1-01`;
  const arrived = (id: string, name: string) =>
    expect
      .poll(
        () =>
          spans()
            .filter((span) => span.traceId === id.repeat(16))
            .map((span) => span.name),
        {
          timeout: minutes,
        },
      )
      .toEqual(expect.arrayContaining([name]));
  const childrenOf = (id: string) =>
    spans()
      .filter(({ traceId }) => traceId === id.repeat(16))
      .map(({ name }) => name);

  it(
    'shows a push of a package, of the bucket, and a failed query',
    async () => {
      const headers = { 'X-NuGet-ApiKey': server.adminKey, traceparent: asked('aa') };
      const pushed = await fetch(`${server.url}/nuget/`, {
        method: 'PUT',
        headers,
        body: new Uint8Array(makeNupkg()),
      });
      expect(pushed.status).toBe(201);
      const failed = await fetch(`${server.url}/nuget/Packages()?$filter=Nothing%20eq%20'a-value'`);
      expect(failed.status).toBe(400);
      await (await openBucketWork(server, dir, 'work')).release('buf', '1.32.0');

      await arrived('aa', 'PUT feed');
      expect(childrenOf('aa')).toEqual(
        expect.arrayContaining([
          'read body',
          'blob receive',
          'package inspect',
          'blob commit',
          'database transaction',
        ]),
      );
      const id = failed.headers.get('x-request-id')?.replaceAll('-', '');
      await expect
        .poll(() => spans().find(({ traceId }) => traceId === id)?.name, { timeout: minutes })
        .toBe('GET feed');
      const failure = spans().find(({ traceId }) => traceId === id);
      expect(failure?.attributes).toContainEqual({
        key: 'error.type',
        value: { stringValue: 'QUERY_INVALID' },
      });
    },
    5 * minutes,
  );

  it(
    'are as many as promised, and exactly those, of 10,000 requests',
    async () => {
      const key = await makeKey(server, ['push']);
      const secrets = ['a-key-in-a-header', 'a-key-in-basic', 'a-key-in-a-query', 'a-value-of-a-filter'];
      const publish = () =>
        fetch(`${server.url}/dl/tool/1.0.0/tool-windows-amd64.exe`, {
          method: 'PUT',
          headers: { 'X-NuGet-ApiKey': key },
          body: 'MZ',
        });
      const fail = () => fetch(`${server.url}/nuget/Packages()?$filter=Nothing%20eq%20'${secrets[3]}'`);
      const read = (at: number) =>
        fetch(
          `${server.url}/nuget/${at % 2 === 0 ? 'Packages()?$top=1&' : 'package/none/1.0?'}apikey=${secrets[2]}`,
          {
            headers: {
              'X-NuGet-ApiKey': secrets[0] ?? '',
              Authorization: `Basic ${Buffer.from(`user:${secrets[1]}`).toString('base64')}`,
              // Nobody believes it.
              traceparent: asked('bb'),
            },
          },
        );
      await publish();

      const requests = await pMap(
        Array.from({ length: 10_000 }, (_, at) => at),
        async (at) => {
          const of = at % 50 === 0 ? 'always' : at % 5 === 0 ? 'publishing' : 'other';
          const answer = await (of === 'always' ? fail() : of === 'publishing' ? publish() : read(at));
          await answer.arrayBuffer();
          return {
            of,
            status: answer.status,
            id: answer.headers.get('x-request-id')?.replaceAll('-', '') ?? '',
          } as const;
        },
        { concurrency: 16 },
      );
      const promised = requests.filter(({ id, of }) => isSampled(id, of, shares)).map(({ id }) => id);
      const missing = () => {
        const there = new Set(spans().map(({ traceId }) => traceId));
        return promised.filter((id) => !there.has(id));
      };
      await expect.poll(missing, { timeout: 2 * minutes }).toEqual([]);

      const there = new Set(spans().map(({ traceId }) => traceId));
      const ofRequests = requests.filter(({ id }) => there.has(id));
      expect(ofRequests.map(({ id }) => id).toSorted()).toEqual(promised.toSorted());
      const count = (of: string) => ofRequests.filter((one) => one.of === of).length;
      expect(requests.filter(({ status, of }) => of === 'always' && status !== 400)).toEqual([]);
      expect(requests.filter(({ status, of }) => of === 'publishing' && status !== 200)).toEqual([]);
      expect(count('always')).toBe(200);
      // Six standard deviations of 1,800 with a quarter, and as far from 8,000 with a thousandth: once in a billion runs.
      expect(Math.abs(count('publishing') - 450)).toBeLessThan(6 * 18.4);
      expect(count('other')).toBeLessThan(8 + 6 * 5);
      expect(there.has('bb'.repeat(16))).toBe(false);

      const everything = Buffer.concat(backend.received.map(({ bytes }) => bytes));
      const basic = Buffer.from(`user:${secrets[1]}`).toString('base64');
      for (const secret of [...secrets, basic, key, server.adminKey, secretHeader]) {
        expect(everything.includes(secret), secret).toBe(false);
      }
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toMatch(/gwt_traces_total\{outcome="dropped"\} 0/);
    },
    10 * minutes,
  );
});

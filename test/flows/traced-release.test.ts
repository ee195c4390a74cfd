import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { delveRelease } from '../kit/generator.ts';
import { type ArrivedSpan, type OtlpReceiver, startOtlpReceiver, tracingTo } from '../kit/otlp-receiver.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { startTestServer, type TestServer } from '../kit/test-server.ts';

const secret = 'a-secret-for-the-collector';

describe('a traced run of a release verb', () => {
  let collector: OtlpReceiver;
  let server: TestServer;
  let fixture: ReleaseFixture;
  beforeAll(async () => {
    collector = await startOtlpReceiver();
    // Nothing of its own, so that all that arrives belongs to a run.
    const tracing = tracingTo(collector.url, { publishing: 0, other: 0 });
    server = await startTestServer({ tracing: { ...tracing, headers: {} } });
    fixture = await startReleaseFixture({
      server,
      repositories: { 'go-delve/delve': [delveRelease('1.26.3')] },
      settings: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: `api-key=${secret}`,
        TRACE_SHARE_PUBLISHING: '1',
      },
    });
  });
  afterAll(async () => {
    await fixture.stop();
    await server.stop();
    await collector.stop();
  });
  beforeEach(() => void collector.spans.splice(0));

  const byName = (name: string): ArrivedSpan | undefined =>
    collector.spans.find((span) => span.name === name);
  const named = (name: string) => expect.poll(() => byName(name), { timeout: 20_000 });

  it('is one trace, with what the server did for it', async () => {
    const { exitCode, stdout, stderr } = await fixture.generator.run('release:beta', ['delve']);
    expect(exitCode, stderr).toBe(0);

    const root = byName('release:beta');
    expect(root).toMatchObject({ parentSpanId: '', status: 0 });
    const parentOf = (name: string) =>
      collector.spans.find(({ spanId }) => spanId === byName(name)?.parentSpanId)?.name;
    for (const name of ['plan', 'build', 'publish']) {
      expect(parentOf(name)).toBe('release:beta');
      expect(byName(name)?.attributes).toEqual({ 'gwt.tool': 'delve' });
    }
    for (const name of ['fetch', 'verify']) expect(parentOf(name)).toBe('build');
    await named('PUT payload').toBeDefined();
    await named('PUT feed').toMatchObject({
      kind: 2,
      attributes: { 'gwt.package.version': '1.26.3-beta.1' },
    });
    await named('POST git').toBeDefined();
    await named('git http-backend').toBeDefined();
    for (const name of ['PUT payload', 'PUT feed', 'POST git']) expect(parentOf(name)).toBe('publish');
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([root?.traceId]));

    expect(fixture.forge.leaks).toEqual([]);
    for (const hidden of [secret, server.adminKey]) {
      expect(collector.bytes().includes(hidden)).toBe(false);
      expect(stdout + stderr).not.toContain(hidden);
    }
    expect(collector.headers.some((headers) => headers['api-key'] === secret)).toBe(true);
  });

  it('is kept when it fails, with its code', async () => {
    const env = { TRACE_SHARE_PUBLISHING: '0' };
    expect((await fixture.generator.run('release:promote', ['delve'], { env })).exitCode).toBe(0);
    expect(collector.spans).toEqual([]);

    const { exitCode } = await fixture.generator.run('release:promote', ['delve@9.9.9'], { env });

    expect(exitCode).not.toBe(0);
    expect(byName('release:promote')).toMatchObject({ status: 2, attributes: { 'error.type': 'Ended' } });
    expect(byName('plan')).toMatchObject({
      status: 2,
      attributes: { 'error.type': expect.stringMatching(/^[A-Z_]+$/) },
    });
  });

  it('says that its traces do not arrive, and ends as it would', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_EXPORTER_OTLP_TIMEOUT: '100' };
    const { exitCode, stderr } = await fixture.generator.run('release:beta', ['delve'], { env });

    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringMatching(/do not arrive at http:\/\/127\.0\.0\.1:9/),
    ]);
  });

  it('does not begin with a wrong setting', async () => {
    const env = { TRACE_SHARE_PUBLISHING: 'many' };
    const { exitCode, stderr } = await fixture.generator.run('release:beta', ['delve'], { env });

    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringMatching(/TRACE_SHARE_PUBLISHING: expected a number from 0/),
    ]);
  });
});

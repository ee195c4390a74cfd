import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, startCluster } from '../kit/cluster.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../kit/otlp-receiver.ts';
import { pushNupkg } from '../kit/test-server.ts';

describe.skipIf(!canCluster)('the trace of a push to a replica (needs PostgreSQL and versitygw)', () => {
  let collector: OtlpReceiver;
  let cluster: Cluster;
  beforeAll(async () => {
    collector = await startOtlpReceiver();
    const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, TRACE_SHARE_PUBLISHING: '1' };
    cluster = await startCluster(1, tracing);
  });
  afterAll(async () => {
    await cluster.stop();
    await collector.stop();
  });

  it('shows the database and the object store', async () => {
    const [replica] = cluster.replicas;
    expect((await pushNupkg(replica!, makeNupkg(), cluster.adminKey)).status).toBe(201);

    const ofPush = () => {
      const { traceId } = collector.spans.find(({ name }) => name === 'PUT feed') ?? {};
      return collector.spans.filter((span) => span.traceId === traceId);
    };
    await expect
      .poll(() => ofPush().map(({ name }) => name), { timeout: 20_000 })
      .toEqual(
        expect.arrayContaining(['PUT feed', 'blob commit', 'database transaction', 'postgresql commit']),
      );
    expect(ofPush().find(({ name }) => name === 'blob commit')?.attributes).toMatchObject({
      'gwt.blob_store': 's3',
    });
  });
});

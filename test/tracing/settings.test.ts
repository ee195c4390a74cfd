import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config.ts';
import { makeTempDir } from '../kit/test-server.ts';

const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings of tracing', () => {
  it('turn it on by the address of a collector alone', () => {
    expect(loadConfig({}).tracing).toBeUndefined();
    expect(loadConfig({ OTEL_SERVICE_NAME: 'feed' }).tracing).toBeUndefined();
    expect(loadConfig({ ...on, OTEL_SDK_DISABLED: 'true' }).tracing).toBeUndefined();
    expect(loadConfig({ ...on, OTEL_TRACES_EXPORTER: 'none' }).tracing).toBeUndefined();
    expect(loadConfig(on).tracing).toEqual({
      url: 'http://collector:4318/v1/traces',
      headers: {},
      timeoutMs: 10_000,
      isCompressed: false,
      waitMs: 1_000,
      tls: {},
      serviceName: undefined,
      resource: {},
      shares: { publishing: 0.25, other: 0.001 },
    });
  });

  it('take what is for traces alone before what is for everything', () => {
    const config = loadConfig({
      ...on,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.corp/take/them',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1,api-key=one%2Ctwo%3D',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=2',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2000',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_SERVICE_NAME: 'feed',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production, site = a b',
      OTEL_BSP_SCHEDULE_DELAY: '5000',
      TRACE_SHARE_PUBLISHING: '50 %',
      TRACE_SHARE_OTHER: '0',
    });

    expect(config.tracing).toEqual({
      url: 'https://traces.corp/take/them',
      headers: { a: '2', 'api-key': 'one,two=' },
      timeoutMs: 2_000,
      isCompressed: true,
      waitMs: 5_000,
      tls: {},
      serviceName: 'feed',
      resource: { 'deployment.environment.name': 'production', site: 'a b' },
      shares: { publishing: 0.5, other: 0 },
    });
  });

  it('read the files of certificates', async () => {
    const dir = await makeTempDir();
    const file = join(dir, 'ca.pem');
    await writeFile(file, 'PEM');
    expect(loadConfig({ ...on, OTEL_EXPORTER_OTLP_CERTIFICATE: file }).tracing?.tls).toEqual({
      ca: Buffer.from('PEM'),
    });
    await rm(dir, { recursive: true });
    expect(problemsOf({ ...on, OTEL_EXPORTER_OTLP_CERTIFICATE: file })).toEqual([
      `OTEL_EXPORTER_OTLP_CERTIFICATE: ${file}: it is not there`,
    ]);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', /expected an address such as http:\/\/collector:4318/],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://user:hush@host', /without user, password/],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'https://host/?token=hush', /without user, password, query/],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', /expected http\/protobuf, found grpc.*4318/],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'smoke', /expected http\/protobuf/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'hush', /expected names and values such as api-key=SECRET/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=hush%', /expected names and values/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=hush%0d%0ab: c', /expected names and values/],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', /number of milliseconds/],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', /expected none or gzip/],
    ['OTEL_EXPORTER_OTLP_CLIENT_KEY', '/nowhere/key.pem', /\/nowhere\/key.pem: it is not there/],
    ['OTEL_RESOURCE_ATTRIBUTES', '=a', /expected names and values such as deployment/],
    ['OTEL_TRACES_EXPORTER', 'zipkin', /expected otlp or none/],
    ['TRACE_SHARE_PUBLISHING', '25', /expected a number from 0 to 1, or 0 % to 100 %, found "25"/],
    ['TRACE_SHARE_OTHER', '-1', /expected a number from 0 to 1/],
    ['TRACE_SHARE_OTHER', '101%', /expected a number from 0 to 1/],
  ])('refuse %s=%s, without a secret', (name, value, problem) => {
    const problems = problemsOf({ ...on, [name]: value });

    expect(problems.join()).toMatch(problem);
    expect(problems.join()).toMatch(/^OTEL_|^TRACE_/);
    expect(problems.join()).not.toContain('hush');
  });

  it('refuse no protocol where nothing is traced', () => {
    expect(problemsOf({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toEqual([]);
    expect(problemsOf({ ...on, OTEL_SDK_DISABLED: 'TRUE', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toEqual([]);
  });
});

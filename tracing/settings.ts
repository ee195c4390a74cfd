import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { fileReason } from '../formats/file-reason.ts';
import type { Shares } from './sampling.ts';
import { endpoint, milliseconds, pairs, share } from './setting-forms.ts';

/** Where traces go, and which of them. Absent: nothing is traced. */
export type TracingConfig = {
  /** The whole address that takes traces. */
  readonly url: string;
  /** Secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one batch, with all attempts. */
  readonly timeoutMs: number;
  readonly isCompressed: boolean;
  /** How long traces wait for others, to be sent together. */
  readonly waitMs: number;
  /** PEM: who the collector may be, and who this program is for it. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly serviceName: string | undefined;
  readonly resource: Readonly<Record<string, string>>;
  readonly shares: Shares;
};

const text = z.string().optional();
const protocols = ['http/protobuf', 'http/json', 'grpc'] as const;
const compressions = ['none', 'gzip'] as const;

/** The variables of the OTLP exporter, each with its sentence; each may also be set for traces alone. */
const exporter = {
  HEADERS: pairs('api-key=SECRET').describe(
    'Headers for the collector, such as NAME=VALUE,NAME=VALUE; they are secret.',
  ),
  PROTOCOL: z
    .enum(protocols, 'expected http/protobuf')
    .optional()
    .describe('How traces are sent: http/protobuf. Default: http/protobuf.'),
  TIMEOUT: milliseconds().optional().describe('How long sending a batch may take, in ms. Default: 10000.'),
  COMPRESSION: z
    .enum(compressions, 'expected none or gzip')
    .optional()
    .describe('none or gzip. Default: none.'),
  CERTIFICATE: text.describe('PEM file of the CAs that the certificate of the collector may be from.'),
  CLIENT_CERTIFICATE: text.describe('PEM certificate chain that the collector gets.'),
  CLIENT_KEY: text.describe('PEM private key of that certificate.'),
} as const;
type ExporterName = keyof typeof exporter;

const forAll = Object.fromEntries(
  Object.entries(exporter).map(([name, schema]) => [`OTEL_EXPORTER_OTLP_${name}`, schema]),
) as { [N in ExporterName as `OTEL_EXPORTER_OTLP_${N}`]: (typeof exporter)[N] };
const forTraces = Object.fromEntries(
  Object.entries(exporter).map(([name, schema]) => [
    `OTEL_EXPORTER_OTLP_TRACES_${name}`,
    schema.describe(`OTEL_EXPORTER_OTLP_${name} for traces alone.`),
  ]),
) as { [N in ExporterName as `OTEL_EXPORTER_OTLP_TRACES_${N}`]: (typeof exporter)[N] };

/** The settings of tracing (contract section 12): those of OpenTelemetry by their own names, and the shares. */
export const tracingSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint('http://collector:4318')
    .optional()
    .describe(
      'Address of an OpenTelemetry collector: turns tracing on; /v1/traces is appended. Default: nothing is traced.',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint('http://collector:4318/v1/traces')
    .optional()
    .describe('The same for traces alone: the whole address.'),
  ...forAll,
  ...forTraces,
  OTEL_SERVICE_NAME: text.describe('The name of this program in traces. Default: go-win-tools.'),
  OTEL_RESOURCE_ATTRIBUTES: pairs('deployment.environment.name=production').describe(
    'What else traces say about this program, such as NAME=VALUE,NAME=VALUE.',
  ),
  OTEL_BSP_SCHEDULE_DELAY: milliseconds()
    .default(1_000)
    .describe('How long traces wait for others, to be sent together, in ms. Default: 1000.'),
  OTEL_SDK_DISABLED: z
    .string()
    .transform((value) => value.toLowerCase() === 'true')
    .optional()
    .describe('true: nothing is traced.'),
  OTEL_TRACES_EXPORTER: z
    .enum(['otlp', 'none'], 'expected otlp or none')
    .optional()
    .describe('none: nothing is traced. Default: otlp.'),
  TRACE_SHARE_PUBLISHING: share()
    .default(0.25)
    .describe('How many pushes, releases and rollouts are traced, from 0 to 1 or in %. Default: 0.25.'),
  TRACE_SHARE_OTHER: share()
    .default(0.001)
    .describe('The same for all other requests that neither fail nor take more than 5 s. Default: 0.001.'),
};

type Settings = z.infer<ReturnType<typeof asObject>>;
const asObject = () => z.object(tracingSettings);

/** The same of an environment, where an empty variable counts as not set. */
export function readTracing(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): TracingConfig | undefined {
  const names = Object.keys(tracingSettings).filter((name) => env[name]?.trim());
  const parsed = asObject().safeParse(Object.fromEntries(names.map((name) => [name, env[name]?.trim()])));
  if (parsed.success) return tracingOf(parsed.data, problems);
  problems.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return undefined;
}

/** What the settings ask for; undefined where nothing is traced. Adds what is wrong to `problems`, without values. */
export function tracingOf(settings: Settings, problems: string[]): TracingConfig | undefined {
  const general = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  const url =
    settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ??
    (general === undefined ? undefined : `${general.replace(/\/+$/, '')}/v1/traces`);
  const isOff = settings.OTEL_SDK_DISABLED === true || settings.OTEL_TRACES_EXPORTER === 'none';
  if (url === undefined || isOff) return undefined;

  function chosen<N extends ExporterName>(name: N) {
    return settings[`OTEL_EXPORTER_OTLP_TRACES_${name}`] ?? settings[`OTEL_EXPORTER_OTLP_${name}`];
  }
  const protocol = chosen('PROTOCOL') ?? 'http/protobuf';
  if (protocol !== 'http/protobuf') {
    problems.push(
      `OTEL_EXPORTER_OTLP_PROTOCOL: expected http/protobuf, found ${protocol}; a collector takes it at port 4318`,
    );
  }
  function pem(name: 'CERTIFICATE' | 'CLIENT_CERTIFICATE' | 'CLIENT_KEY'): Buffer | undefined {
    const file = chosen(name);
    if (file === undefined) return undefined;
    try {
      return readFileSync(file);
    } catch (error) {
      problems.push(`OTEL_EXPORTER_OTLP_${name}: ${file}: ${fileReason(error)}`);
      return undefined;
    }
  }
  const [ca, cert, key] = [pem('CERTIFICATE'), pem('CLIENT_CERTIFICATE'), pem('CLIENT_KEY')];
  if ((chosen('CLIENT_CERTIFICATE') === undefined) !== (chosen('CLIENT_KEY') === undefined)) {
    problems.push('OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_KEY: it takes both');
  }
  return {
    url,
    headers: { ...settings.OTEL_EXPORTER_OTLP_HEADERS, ...settings.OTEL_EXPORTER_OTLP_TRACES_HEADERS },
    timeoutMs: chosen('TIMEOUT') ?? 10_000,
    isCompressed: chosen('COMPRESSION') === 'gzip',
    waitMs: settings.OTEL_BSP_SCHEDULE_DELAY,
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    serviceName: settings.OTEL_SERVICE_NAME,
    resource: settings.OTEL_RESOURCE_ATTRIBUTES ?? {},
    shares: { publishing: settings.TRACE_SHARE_PUBLISHING, other: settings.TRACE_SHARE_OTHER },
  };
}

import type { IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { TracingConfig } from '../../tracing/settings.ts';
import { listen } from './listen.ts';

/** What every batch brings along. */
export const secretHeader = 'a-secret-of-the-collector';

/** Settings under which pushes and errors are traced, and nothing else; traces hardly wait. */
export function tracingTo(url: string, shares = { publishing: 1, other: 0 }): TracingConfig {
  return {
    url: `${url}/v1/traces`,
    headers: { 'api-key': secretHeader },
    timeoutMs: 5_000,
    isCompressed: false,
    waitMs: 20,
    tls: {},
    serviceName: undefined,
    resource: {},
    shares,
  };
}

/** A span as it arrived. */
export type ArrivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly ms: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2: error. */
  readonly status: number;
};

export type OtlpReceiver = {
  readonly url: string;
  readonly spans: ArrivedSpan[];
  /** Of the program, of the last batch. */
  readonly resource: () => Readonly<Record<string, unknown>>;
  /** Everything that arrived, as bytes: to look for secrets. */
  readonly bytes: () => Buffer;
  readonly headers: IncomingHttpHeaders[];
  /** What is answered from now on. */
  answer: number;
  stop(): Promise<void>;
};

/** Takes traces as a collector does (OTLP over HTTP with protobuf), and keeps them. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ArrivedSpan[] = [];
  const batches: Buffer[] = [];
  const headers: IncomingHttpHeaders[] = [];
  let resource: Readonly<Record<string, unknown>> = {};
  const { url, stop } = await listen((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      headers.push(req.headers);
      const sent = Buffer.concat(parts);
      const bytes = req.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      if (receiver.answer === 200 && req.url === '/v1/traces') {
        batches.push(bytes);
        for (const one of fields(bytes, 1)) {
          for (const of of fields(one, 1)) resource = attributesOf(of, 1);
          spans.push(...fields(one, 2).flatMap((scope) => fields(scope, 2).map(toSpan)));
        }
      }
      res.writeHead(receiver.answer, { 'Content-Type': 'application/x-protobuf' }).end();
    });
  });
  const receiver: OtlpReceiver = {
    url,
    spans,
    resource: () => resource,
    bytes: () => Buffer.concat(batches),
    headers,
    answer: 200,
    stop,
  };
  return receiver;
}

/** By the numbers of opentelemetry/proto/trace/v1/trace.proto. */
function toSpan(bytes: Buffer): ArrivedSpan {
  const hex = (field: number) => fields(bytes, field)[0]?.toString('hex') ?? '';
  const nanoseconds = (field: number) => fields(bytes, field)[0]?.readBigUInt64LE() ?? 0n;
  const [status = Buffer.alloc(0)] = fields(bytes, 15);
  return {
    traceId: hex(1),
    spanId: hex(2),
    parentSpanId: hex(4),
    name: String(fields(bytes, 5)[0]),
    kind: numberOf(bytes, 6),
    ms: Number(nanoseconds(8) - nanoseconds(7)) / 1e6,
    attributes: attributesOf(bytes, 9),
    status: numberOf(status, 3),
  };
}

function attributesOf(bytes: Buffer, field: number): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    fields(bytes, field).map((pair) => {
      const [value = Buffer.alloc(0)] = fields(pair, 2);
      const [text, double] = [fields(value, 1)[0], fields(value, 4)[0]];
      const other = fields(value, 2).length > 0 ? numberOf(value, 2) === 1 : numberOf(value, 3);
      return [String(fields(pair, 1)[0]), text?.toString() ?? double?.readDoubleLE() ?? other];
    }),
  );
}

function numberOf(bytes: Buffer, field: number): number {
  const [raw] = fields(bytes, field);
  return raw === undefined ? 0 : Number(readVarint(raw, 0).value);
}

/** The raw values of a field of a protobuf message. */
function fields(bytes: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    const wire = Number(tag.value & 7n);
    let start = tag.next;
    let end = start + (wire === 1 ? 8 : 4);
    if (wire === 0) end = readVarint(bytes, start).next;
    if (wire === 2) {
      const length = readVarint(bytes, start);
      start = length.next;
      end = start + Number(length.value);
    }
    if (Number(tag.value >> 3n) === wanted) found.push(bytes.subarray(start, end));
    at = end;
  }
  return found;
}

function readVarint(bytes: Buffer, from: number): { readonly value: bigint; readonly next: number } {
  let value = 0n;
  for (let at = from; ; at += 1) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - from));
    if (byte < 0x80) return { value, next: at + 1 };
  }
}

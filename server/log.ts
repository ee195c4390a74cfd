import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger };

/** Where a secret can stand in what we log; the value is replaced, whoever logs it. */
const secrets = [
  'authorization',
  'x-nuget-apikey',
  'cookie',
  'set-cookie',
  'apikey',
  'apiKey',
  'key',
  'password',
];

/**
 * The one logger. Lines are JSON on stderr; parts take `log.child({ part: 'push' })`. Messages are static sentences,
 * data goes into fields.
 */
export function createLogger(level: string, stream: DestinationStream = destination(2)): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secrets.flatMap((name) => [`["${name}"]`, `headers["${name}"]`, `*.headers["${name}"]`]),
        censor: '[redacted]',
      },
    },
    stream,
  );
}

/** An address as it may stand in a log: without the values of secret parameters (`?apikey=...`). */
export function redactUrl(url: string): string {
  return url.replace(/([?&])([^=&#]*)=[^&#]*/g, (pair, mark: string, name: string) =>
    isSecret(name) ? `${mark}${name}=[redacted]` : pair,
  );
}

function isSecret(name: string): boolean {
  const plain = name.replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return /key|token|secret|password|passwd|pwd|auth|signature/i.test(plain);
}

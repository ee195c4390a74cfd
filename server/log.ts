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
export function createLogger(
  level: string,
  stream: DestinationStream = inOneWrite(destination({ dest: 2, sync: true })),
): Logger {
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

const maxWaitingLength = 64 * 1024;

/**
 * All lines of one turn of the event loop in one write, which costs more than making them. A crash loses none, since
 * they are written on the way out; only who is killed takes the lines of his last millisecond with him.
 */
function inOneWrite(to: DestinationStream): DestinationStream {
  let waiting = '';
  function flush(): void {
    const lines = waiting;
    waiting = '';
    if (lines !== '') to.write(lines);
  }
  process.once('exit', flush);
  return {
    write(line) {
      if (waiting === '') setImmediate(flush);
      waiting += line;
      if (waiting.length > maxWaitingLength) flush();
    },
  };
}

/** An address as it may stand in a log: without the values of secret parameters (`?apikey=...`), and without keys of ours. */
export function redactUrl(url: string): string {
  if (!mayHoldSecret.test(url)) return url;
  return url
    .replace(ownKey, '[redacted]')
    .replace(/([?&])([^=&#]*)=[^&#]*/g, (pair, mark: string, name: string) =>
      isSecret(name) ? `${mark}${name}=[redacted]` : pair,
    );
}

function isSecret(name: string): boolean {
  const plain = name.replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return secretName.test(plain);
}

/** Wherever somebody pasted one (server/keys/sql-keys.ts makes them). */
const ownKey = /gwt_[\w-]{20,}/g;
/** A `$skiptoken` is a place in the feed, and whoever looks for a fault of paging wants to see it. */
const secretName = /key|(?<!^\$skip)token|secret|password|passwd|pwd|auth|signature/i;
/** Such a word anywhere, or a name with an escape in it: few addresses must be looked at closely. */
const mayHoldSecret = new RegExp(`${secretName.source}|gwt_|[?&][^=&#]*%`, 'i');

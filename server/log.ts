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
  stream: DestinationStream = inBatches(destination({ dest: 2, sync: true })),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${isoTime(Date.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secrets.flatMap((name) => [`["${name}"]`, `headers["${name}"]`, `*.headers["${name}"]`]),
        censor: '[redacted]',
      },
    },
    stream,
  );
}

let lastTime = Number.NaN;
let lastText = '';

/** Many lines are written in the same millisecond. */
function isoTime(time: number): string {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString();
    lastTime = time;
  }
  return lastText;
}

const maxWaitingLength = 64 * 1024;
/** How long the line of a request may wait for others. */
const maxWaitMs = 20;
/** What ends such a line (http/request-log.ts). */
const ofRequest = '"msg":"request"}\n';

/**
 * Lines in as few writes as there can be, since a write costs more than making a line: those of requests wait a moment for others,
 * all else goes out at the end of this turn of the event loop, behind what waits. Each write holds whole lines. A stop or a crash
 * loses none, since they are written on the way out; only a process that is killed takes the last of them with it.
 */
export function inBatches(to: DestinationStream): DestinationStream {
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;
  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    const lines = waiting;
    waiting = '';
    if (lines !== '') to.write(lines);
  }
  process.once('exit', flush);
  return {
    write(line) {
      waiting += line;
      if (waiting.length > maxWaitingLength) flush();
      else if (line.endsWith(ofRequest)) timer ??= setTimeout(flush, maxWaitMs).unref();
      else if (!isDue) {
        isDue = true;
        setImmediate(flush);
      }
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

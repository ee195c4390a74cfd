import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger };

/** Fields that may contain a secret; their values are always replaced. */
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
 * The only logger. Lines are JSON on stderr; parts use `log.child({ part: 'push' })`. Messages are constant sentences, data goes
 * into fields.
 */
export function createLogger(level: string, stream: DestinationStream = inBatches(toFile(2))): Logger {
  const log = pino(
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
  outputs.set(log, stream);
  return log;
}

const outputs = new WeakMap<Logger, DestinationStream>();

/**
 * Writes lines of level info that have their fields printed already, for the line of each request: pino looks at every field anew, which
 * takes several times as long. Nothing is redacted.
 * @param log from `createLogger`
 * @returns takes the fields as JSON, without the braces
 */
export function createLineWriter(log: Logger, message: string): (fields: string) => void {
  const stream = outputs.get(log);
  if (stream === undefined) throw new Error('Only a logger of createLogger has a stream of its own.');
  const end = `,"msg":${JSON.stringify(message)}}\n`;
  return (fields) => {
    if (!log.isLevelEnabled('info')) return;
    stream.write(`{"level":"info","time":"${isoTime(Date.now())}",${fields}${end}`);
  };
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

/** What is kept of lines that the file has no room for; later ones are lost. */
const maxUnwrittenBytes = 1024 ** 2;

/**
 * Writes to an open file, and goes on when it cannot: a full disk under `serve 2>> feed.log` must not end the server. Lines wait
 * in memory and are written once there is room.
 */
export function toFile(descriptor: number): DestinationStream {
  const stream = destination({ dest: descriptor, sync: true, maxLength: maxUnwrittenBytes });
  stream.on('error', () => undefined);
  return stream;
}

const maxWaitingLength = 64 * 1024;
/** How long the line of a request may wait to be written together with others. */
const maxWaitMs = 20;
/** The end of such a line (http/request-log.ts). */
const ofRequest = '"msg":"request"}\n';

/**
 * Writes lines in as few writes as possible, since a write costs more than making a line: lines of requests wait a moment for
 * others; any other line is written at the end of this turn of the event loop, after those that are waiting. Each write consists
 * of whole lines. A stop or a crash loses none, since they are written on exit; only a killed process loses its last lines.
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

/** An address that is safe to log: without values of secret parameters (`?apikey=...`), and without our keys. */
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
/** A `$skiptoken` is a position in the feed, which is useful when debugging paging. */
const secretName = /key|(?<!^\$skip)token|secret|password|passwd|pwd|auth|signature/i;
/** Any such word, or a name with an escape in it: only few addresses need a closer look. */
const mayHoldSecret = new RegExp(`${secretName.source}|gwt_|[?&][^=&#]*%`, 'i');

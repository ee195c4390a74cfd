import type { IncomingMessage } from 'node:http';
import { hiddenCharacters } from '../../formats/hidden-characters.ts';
import type { Download, Downloads } from '../audit/downloads.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Metrics } from '../metrics.ts';
import { keyNameOf } from './auth.ts';

/**
 * Downloads by go-win-tools itself, to promote, to verify or to copy a feed. They install nothing, so they are left out of the
 * numbers by which people choose; nuget.org excludes its crawlers by User-Agent too. The list of recipients includes them.
 */
const ownClient = /^go-win-tools\//;

/**
 * Counts a download, for the routes and for the response cache. Call it when the answer begins, so that the request's log line
 * names the download; call the returned function once the client has everything: HEAD, 304 and parts do not count (spec nuget-v2
 * 9.8).
 */
export type BeginDownload = (req: IncomingMessage, what: Download, from: string | undefined) => () => void;

export type DownloadCountDeps = {
  readonly catalog: Pick<Catalog, 'countDownload'>;
  readonly downloads: Pick<Downloads, 'note'>;
  readonly metrics: Pick<Metrics, 'countDownload'>;
};

export function createBeginDownload({ catalog, downloads, metrics }: DownloadCountDeps): BeginDownload {
  return (req, what, from) => {
    begun.set(req, what);
    return () => {
      if (isBroken(req)) return;
      const client = clientOf(req);
      downloads.note(what, { keyName: keyNameOf(req), from, client });
      if (ownClient.test(client ?? '')) return;
      if (what.file === undefined) catalog.countDownload(what.id, what.version);
      metrics.countDownload(what.id);
    };
  };
}

/** Node also reports an answer as finished when its connection broke before everything was sent. */
export function isBroken({ socket }: Pick<IncomingMessage, 'socket'>): boolean {
  return socket.errored !== null;
}

const begun = new WeakMap<object, Download>();

/** The additional fields of a download in the log. */
export function downloadFields(
  req: IncomingMessage,
): (Download & { client: string | undefined }) | undefined {
  const what = begun.get(req);
  return what && { ...what, client: clientOf(req) };
}

const maxClientLength = 200;

/** The name that the client program gives itself, safe for a log and a table. */
function clientOf({ headers }: IncomingMessage): string | undefined {
  const agent = headers['user-agent'] ?? '';
  if (agent !== lastAgent) {
    const text = agent.slice(0, maxClientLength).replace(hiddenCharacters, ' ').trim();
    lastClient = text === '' ? undefined : text;
    lastAgent = agent;
  }
  return lastClient;
}

/** One program often asks many times in a row. */
let lastAgent = '';
let lastClient: string | undefined;

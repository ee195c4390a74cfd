import type { IncomingMessage } from 'node:http';
import { hiddenCharacters } from '../../formats/hidden-characters.ts';
import type { Download, Downloads } from '../audit/downloads.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Metrics } from '../metrics.ts';
import { keyNameOf } from './auth.ts';

/**
 * What go-win-tools itself fetches, to promote, to verify, to copy a feed. It installs nothing, so it is no download of the numbers that
 * people choose by: nuget.org leaves its crawlers out of its statistics by their User-Agent, too. The list of recipients has it all the same.
 */
const ownClient = /^go-win-tools\//;

/**
 * The one way to count downloads, for the routes and for the response cache: to be called when the answer begins. The request's
 * log line names what was fetched then. The answer is to be called once the client has it all: HEAD, 304 and parts do
 * not count (spec nuget-v2 9.8).
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

/** Node says that an answer is finished, too, when its connection broke under what was still waiting to go out. */
export function isBroken({ socket }: Pick<IncomingMessage, 'socket'>): boolean {
  return socket.errored !== null;
}

const begun = new WeakMap<object, Download>();

/** What the line of a download in the log has more than others. */
export function downloadFields(
  req: IncomingMessage,
): (Download & { client: string | undefined }) | undefined {
  const what = begun.get(req);
  return what && { ...what, client: clientOf(req) };
}

const maxClientLength = 200;

/** How the client program calls itself, fit for a log and a table. */
function clientOf({ headers }: IncomingMessage): string | undefined {
  const text = (headers['user-agent'] ?? '').slice(0, maxClientLength).replace(hiddenCharacters, ' ').trim();
  return text === '' ? undefined : text;
}

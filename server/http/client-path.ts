/** Stands for the id of a client in documents that all clients of a view share: no client can have it as its id. */
export const anyClient = '{go-win-tools-client}';

/** `/c/ID` at the end of a mount point, in lower case; empty at the addresses for everybody. */
export function clientPart(mount: string): string {
  return /\/c\/[^/]+$/i.exec(mount)?.[0].toLowerCase() ?? '';
}

const address = /^\/(nuget|api\/v2|v3)\/c\/([^/]+)(?=\/|$)/i;

/** An address of the feed for one client: `/nuget/c/PC-7/Packages` has the base `/nuget`, the client `PC-7`, and the rest. */
export type ClientPath = {
  /** The part up to the client, as it was written. */
  readonly written: string;
  readonly base: '/nuget' | '/api/v2' | '/v3';
  /** As it was written. */
  readonly client: string;
  /** Empty, or beginning with a slash. */
  readonly rest: string;
};

export function readClientPath(path: string): ClientPath | undefined {
  const match = address.exec(path);
  if (match === null) return undefined;
  const [whole, base = '', client = ''] = match;
  const rest = path.slice(whole.length);
  return { written: whole, base: `/${base.toLowerCase()}` as ClientPath['base'], client, rest };
}

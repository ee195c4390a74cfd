import type { ListedKeyJson } from '../keys/key-json.ts';
import { printTable } from './table.ts';

type Terms = Pick<ListedKeyJson, 'scopes' | 'ids' | 'clients' | 'networks'> & {
  readonly owner?: string | null | undefined;
  readonly expires?: string | null | undefined;
};

/** A key's permissions as one clause: `read for a.*, b as pc-* from 10.0.0.0/8, owned by Ann, until 2027-01-31T00:00:00.000Z`. */
export function printTerms({ scopes, ids, clients, networks, owner, expires }: Terms): string {
  const limits = [
    scopes.join(', '),
    ...(ids.length === 0 ? [] : [`for ${ids.join(', ')}`]),
    ...(clients.length === 0 ? [] : [`as ${clients.join(', ')}`]),
    ...(networks.length === 0 ? [] : [`from ${networks.join(', ')}`]),
  ].join(' ');
  return `${limits}${owner ? `, owned by ${owner}` : ''}${expires ? `, until ${expires}` : ''}`;
}

const head = [
  ...['ID', 'NAME', 'SCOPES', 'IDS', 'CLIENTS', 'NETWORKS', 'OWNER', 'CREATED', 'ROTATED', 'LAST USED'],
  ...['EXPIRES', 'STATE'],
];

/** Keys as a table. */
export function printKeys(keys: readonly ListedKeyJson[], now: Date): string {
  return printTable(
    head,
    keys.map((key) => rowOf(key, now)),
  );
}

function rowOf(key: ListedKeyJson, now: Date): string[] {
  const limits = [key.ids, key.clients, key.networks].map((list) =>
    list.length === 0 ? 'all' : list.join(' '),
  );
  return [
    key.id,
    key.name,
    key.scopes.join(' '),
    ...limits,
    key.owner ?? '-',
    key.created,
    key.rotated ?? '-',
    key.lastUsed ?? 'never',
    key.expires ?? 'never',
    stateCell(key, now),
  ];
}

function stateCell({ state, expires, revoked, publisher }: ListedKeyJson, now: Date): string {
  if (publisher !== null && state === 'active') return `active, of publisher ${publisher}`;
  if (state === 'expiring' && expires !== null) return `expires in ${timeLeft(expires, now)}`;
  return state === 'revoked' ? `revoked ${revoked}` : state;
}

/** Ended keys of CI jobs: there may be thousands, and nothing is to be done about them. */
export function isShown({ publisher, state }: ListedKeyJson): boolean {
  return publisher === null || state === 'active';
}

export function describeHidden(count: number): string {
  if (count === 0) return '';
  const keys = count === 1 ? '1 key of a CI job has' : `${count} keys of CI jobs have`;
  return `${keys} ended and ${count === 1 ? 'is' : 'are'} not shown; --all shows everything.\n`;
}

/** What to do about keys that will expire soon; empty when there are none. */
export function describeExpiring(keys: readonly ListedKeyJson[], now: Date): string {
  return keys
    .filter(({ state }) => state === 'expiring')
    .map(
      ({ id, name, expires }) =>
        `Key ${id} (${name}) expires in ${timeLeft(expires ?? '', now)}: feed:keys rotate ${id} --expires 90d gives it a new secret and a new end.\n`,
    )
    .join('');
}

/** `3 days`, `less than an hour`. */
export function timeLeft(expires: string, now: Date): string {
  const hours = Math.floor((Date.parse(expires) - now.getTime()) / 3_600_000);
  if (hours < 1) return 'less than an hour';
  const [count, unit] = hours < 48 ? [hours, 'hour'] : [Math.floor(hours / 24), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

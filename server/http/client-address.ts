import { readClientId } from '../clients/client-id.ts';
import type { Rings } from '../clients/rings.ts';
import { fail } from '../errors.ts';
import { matchesGlob } from '../keys/glob.ts';

export type ClientAddressDeps = {
  readonly rings: Pick<Rings, 'list'>;
  /** Another number after each change of rings. */
  readonly ringChanges: () => number;
  /** The setting CLIENTS. */
  readonly clients: 'open' | 'known' | undefined;
};

export type ClientAddresses = {
  /** The id of a client's address in lower case. @throws FeedError CLIENT_INVALID, CLIENT_UNKNOWN */
  require(written: string): Promise<string>;
  /** Whether CLIENTS lets this id have addresses of its own. */
  isAllowed(id: string): boolean | Promise<boolean>;
};

/** Who may have addresses of their own (contract section 9). Keys are checked where READ_AUTH asks for them (read-access.ts). */
export function createClientAddresses({ rings, ringChanges, clients }: ClientAddressDeps): ClientAddresses {
  let known: { readonly at: number; readonly globs: readonly string[] } | undefined;

  async function isNamed(id: string): Promise<boolean> {
    const at = ringChanges();
    if (known?.at !== at) known = { at, globs: (await rings.list()).flatMap(({ globs }) => globs) };
    return known.globs.some((glob) => matchesGlob(glob, id));
  }

  const isAllowed = (id: string): boolean | Promise<boolean> => clients !== 'known' || isNamed(id);
  return {
    isAllowed,
    async require(written) {
      const id = readClientId(written) ?? fail('CLIENT_INVALID', { id: written.slice(0, 100) });
      return (await isAllowed(id)) ? id : fail('CLIENT_UNKNOWN', { id });
    },
  };
}

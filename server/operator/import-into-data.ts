import { operator } from '../audit/audit.ts';
import type { ImportTarget } from '../feed/import.ts';
import { admit } from '../feed/publish.ts';
import { unlist } from '../feed/withdraw.ts';
import type { House } from '../house.ts';

/** The data folder as the place that packages go to, while no server runs: by the rules and ways of every push. */
export function importIntoData({ services }: House, maxBytes: number): ImportTarget {
  const { catalog, blobs } = services;
  return {
    find: (id, version) => catalog.find(id, version),
    async receive(bytes) {
      const draft = await blobs.receive(bytes, maxBytes);
      return {
        digest: draft.digest,
        async publish(admission) {
          await admit(services, draft, { ...admission, by: operator });
        },
        discard: () => draft.discard(),
      };
    },
    unlist: (id, version) => unlist(services, id, version, operator),
  };
}

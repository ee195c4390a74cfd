import { operator } from '../audit/audit.ts';
import type { OpenServices } from '../composition-root.ts';
import type { ImportTarget } from '../feed/import.ts';
import { admit } from '../feed/publish.ts';
import { unlist } from '../feed/withdraw.ts';

/** Imports into the data folder while no server runs: by the same rules and code as every push. */
export function importIntoData({ services }: OpenServices, maxBytes: number): ImportTarget {
  const { catalog, blobs } = services;
  const publishing = { ...services, approvals: services.config.approvals ?? [] };
  return {
    find: (id, version) => catalog.find(id, version),
    async receive(bytes) {
      const upload = await blobs.receive(bytes, maxBytes);
      return {
        digest: upload.digest,
        content: upload.content,
        async publish(admission) {
          await admit(publishing, upload, { ...admission, by: operator });
        },
        discard: () => upload.discard(),
      };
    },
    unlist: (id, version) => unlist(publishing, id, version, operator),
  };
}

import type { Grant } from '../catalog/held.ts';

/** A held version that a client sees. */
export type ViewGrant = Grant & {
  readonly tool: string;
  readonly rollout: number;
  /** What is rolled out, or what replaces it after a rollback. */
  readonly is: 'version' | 'correction';
};

/** What a client is offered beyond what everybody is. */
export type View = {
  /** The ids of the rollouts that make it, such as `3,7`; empty for the plain view. Clients with equal keys see the same. */
  readonly key: string;
  readonly grants: readonly ViewGrant[];
};

export const plainView: View = { key: '', grants: [] };

/** HEAD only looks: it shows what the client has by now, admits it to nothing, and is no sign of it. */
export type Asking = 'get' | 'head';

/** The port to what each client is offered (contract section 8). */
export interface Views {
  /**
   * Notes that this client asked, admits it to each rolling rollout that it is eligible for, and answers with what it sees. An
   * admission is durable when this returns. `client` is an id of `readClientId`, `from` its address, which limits new ids.
   * No promise where nothing has to be waited for: every request of a client asks.
   */
  of(client: string, from?: string, asking?: Asking): View | Promise<View>;
  /**
   * The same for the bucket, which compares with its own main: it may still be behind the feed's, since a release comes to the
   * feed first. So what the feed's main has overtaken is among these, too.
   */
  bucketGrants(client: string, from?: string, asking?: Asking): Promise<readonly ViewGrant[]>;
}

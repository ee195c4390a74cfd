/** The manifest of a held version: what Scoop reads, while no branch of the bucket has it. */
export type HeldManifest = {
  readonly tool: string;
  readonly version: string;
  /** Of the package with the same bytes. */
  readonly packageId: string;
  /** The file, byte for byte. */
  readonly text: string;
  /** Of the commit that puts it on a branch. */
  readonly message: string;
  /** The version that it takes the place of when that one is rolled back. */
  readonly corrects?: string | undefined;
};

/** The port to the manifests of held versions (held.ts). Each change is durable when its promise resolves. */
export interface HeldManifests {
  /** `same`: exactly this one was put before; `other`: another one was, and stays; or an open rollout has the version. */
  put(manifest: HeldManifest): Promise<'added' | 'same' | 'other'>;
  /** Puts another text in place of `before`; `other`: it is not that one. */
  replaceText(tool: string, version: string, before: string, text: string): Promise<'replaced' | 'other'>;
  find(tool: string, version: string): Promise<HeldManifest | undefined>;
  /** In the order in which they were put. */
  list(tool: string): Promise<HeldManifest[]>;
  /** Its version may be used again. */
  discard(tool: string, version: string): Promise<'discarded' | 'missing'>;
}

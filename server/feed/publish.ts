import { FormatError } from '../../formats/format-error.ts';
import { isPrerelease, parseNuGetVersion } from '../../formats/nuget-version.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import { describeTrace, inSpan } from '../../tracing/spans.ts';
import { type Actor, actorOf } from '../audit/audit.ts';
import type { Upload } from '../blobs/blob-store.ts';
import type { Catalog, NewPackage } from '../catalog/catalog.ts';
import type { HeldVersions } from '../catalog/held.ts';
import { FeedError, fail } from '../errors.ts';
import { allows, lacks, type Principal } from '../keys/api-keys.ts';
import { type Approvals, requireNoApproval } from './approvals.ts';
import type { BlobFlusher } from './flush-blobs.ts';
import type { Inspect } from './inspect.ts';
import { requireOwner } from './reserved-ids.ts';
import { checkRules, ruleOf } from './rules.ts';

export type PublishServices = {
  readonly catalog: Catalog & Pick<HeldVersions, 'hold' | 'isHeld'>;
  readonly blobFlusher: Pick<BlobFlusher, 'commit'>;
  /** The setting APPROVALS. */
  readonly approvals: Approvals;
  readonly inspect: Inspect;
  readonly now: () => Date;
};
/** The setting RESERVED_IDS. */
export type Reservations = { readonly reservedIds?: readonly string[] | undefined };

/**
 * Publishes an upload for the holder of a key. `from` is the pusher's address; the `reason` in the claims is the pusher's, for
 * the audit log.
 * @throws FeedError KEY_SCOPE, ID_RESERVED and those of `admit`
 */
export function publish(
  services: PublishServices & Reservations,
  upload: Upload,
  principal: Principal,
  from: string | undefined,
  claims: Pick<Admission, 'reason' | 'published' | 'isListed' | 'heldFor'> = {},
): Promise<NewPackage> {
  return admit(services, upload, {
    ...claims,
    by: actorOf(principal, from),
    authorize(nuspec) {
      requirePush(principal, nuspec);
      requireOwner(services.reservedIds ?? [], nuspec.id, principal);
    },
  });
}

export type Admission = {
  readonly by: Actor;
  readonly reason?: string | undefined;
  /** Throws when this package may not be published this way; called before its content is checked. */
  readonly authorize: (nuspec: Nuspec) => void;
  /**
   * When it was published elsewhere, if it was. A date in the future counts as now: otherwise it would sort before everything
   * pushed until then.
   */
  readonly published?: Date | undefined;
  /** False: unlisted from the start. */
  readonly isListed?: boolean;
  /** The tool for whose rollout it is held: nobody sees it, and it needs no approval, until it is published. */
  readonly heldFor?: HeldFor | undefined;
};

/** The tool that a held package belongs to. */
export type HeldFor = {
  readonly tool: string;
  /** Whether the bucket has, or ever had, this version of the tool. */
  readonly isOnBranch: (version: string) => Promise<boolean>;
};

/**
 * Publishes a package: reads and checks it, stores its bytes, then writes its row, which publishes it. Both are durable then; a
 * crash before that leaves a blob without a row, which does no harm. The caller discards the upload.
 * @throws FeedError APPROVALS_NEEDED, PACKAGE_INVALID, PACKAGE_EXISTS, HELD_EXISTS, HELD_PUBLISHED, HELD_TOOL, VERSION_PURGED, STORAGE_FULL and what `authorize`
 *   throws; nothing is published then
 */
export async function admit(
  { catalog, blobFlusher, inspect, approvals, now }: PublishServices,
  upload: Upload,
  { by, reason, authorize, published: before, isListed = true, heldFor }: Admission,
): Promise<NewPackage> {
  const nuspec = await readPackage(inspect, upload, (read) => {
    authorize(read);
    if (heldFor === undefined) requireNoApproval(approvals, read);
  });
  const { id, version } = nuspec;
  checkRules(nuspec);
  // Checked before the bytes are stored, so that a repeated push leaves nothing behind. If two pushes race, `add` decides.
  if (await catalog.find(id, version)) fail('PACKAGE_EXISTS', { id, version });
  if (await catalog.isHeld(id, version)) fail('HELD_EXISTS', { id, version });
  if (await catalog.isPurged(id, version)) fail('VERSION_PURGED', { id, version });
  if (heldFor !== undefined) await requireUnpublished(catalog, heldFor, version);

  const pendingBytes = await blobFlusher.commit(upload);
  const time = now();
  const published = before !== undefined && before < time ? before : time;
  const { digest, claim } = upload;
  const pkg: NewPackage = { id, version, nuspec, ...digest, published, isListed, pendingBytes, claim };
  const is =
    heldFor === undefined
      ? await catalog.add(pkg, by, reason)
      : await catalog.hold(pkg, by, reason, heldFor.tool);
  if (is === 'other package') fail('HELD_TOOL', { tool: heldFor?.tool ?? id, id });
  if (is === 'exists' || is === 'purged') {
    fail(is === 'exists' ? 'PACKAGE_EXISTS' : 'VERSION_PURGED', { id, version });
  }
  return pkg;
}

/** What is public already is never taken back by discarding a held version. */
async function requireUnpublished(
  catalog: Pick<Catalog, 'find'>,
  { tool, isOnBranch }: HeldFor,
  version: string,
): Promise<void> {
  const isPublished = (await catalog.find(tool, version)) !== undefined || (await isOnBranch(version));
  if (isPublished) fail('HELD_PUBLISHED', { tool, version });
}

/** A key without permission for this package is refused before the whole content is unpacked and checked. */
async function readPackage(
  inspect: Inspect,
  upload: Upload,
  authorize: (nuspec: Nuspec) => void,
): Promise<Nuspec> {
  try {
    const { nuspec, verify, close } = await inSpan('package open', () => inspect(upload.content));
    try {
      authorize(nuspec);
      describeTrace({ 'gwt.package.id': nuspec.id, 'gwt.package.version': nuspec.version });
      await inSpan('package inspect', verify);
      return nuspec;
    } finally {
      await close();
    }
  } catch (error) {
    // Only a fault in the bytes is the pusher's; a full disk is not.
    if (!(error instanceof FormatError)) throw error;
    throw new FeedError('PACKAGE_INVALID', { problem: `${error.message} (rule ${ruleOf(error)})` }, error);
  }
}

/** `push:beta` only allows prereleases (contract section 3). */
function requirePush(principal: Principal, { id, version }: Nuspec): void {
  const parsed = parseNuGetVersion(version);
  const scope = parsed && isPrerelease(parsed) ? 'push:beta' : 'push';
  if (allows(principal, scope, id)) return;
  fail(lacks(principal, scope), { scope, ids: principal.ids.join(', '), subject: `${id} ${version}` });
}

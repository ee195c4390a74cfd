import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../formats/digest.ts';
import { FormatError } from '../../formats/format-error.ts';
import { addressesInScripts } from '../../formats/install-scripts.ts';
import { normalizeVersion } from '../../formats/nuget-version.ts';
import { withNupkg } from '../../formats/nupkg.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import { sourceOfBytes } from '../../formats/zip-file.ts';
import { FeedError, fail } from '../errors.ts';
import type { RemotePackage } from '../import/source.ts';

/** A received package that is not published yet. */
export type ReceivedPackage = {
  readonly digest: Digest;
  /** Until `publish`: the path of a file, or the bytes. */
  readonly content: string | Buffer;
  /** `authorize` is called with the package's own nuspec. @throws FeedError of feed/publish.ts */
  publish(admission: {
    readonly authorize: (nuspec: Nuspec) => void;
    readonly published: Date | undefined;
    readonly isListed: boolean;
  }): Promise<void>;
  /** Call it in `finally`. */
  discard(): Promise<void>;
};

export type ExistingPackage = {
  readonly sha512: string;
  readonly sha256?: string;
  readonly isListed: boolean;
};

/** Where packages are imported to: the data folder itself, or a server that uses it. */
export type ImportTarget = {
  find(id: string, version: string): Promise<ExistingPackage | undefined>;
  /** @throws FeedError PACKAGE_TOO_LARGE, STORAGE_FULL and the errors of the source */
  receive(bytes: Readable): Promise<ReceivedPackage>;
  unlist(id: string, version: string): Promise<void>;
};

export type Outcome = {
  readonly kind: 'imported' | 'there' | 'unlisted' | 'refused' | 'failed';
  readonly remote: RemotePackage;
  readonly sizeBytes?: number;
  /** What the scripts of an imported package name: it may load that when it is installed. */
  readonly addresses?: readonly string[];
  readonly reason?: string;
};

export type ImportOptions = {
  readonly parallel: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** The number of attempts per package, and the first pause between them. */
  readonly attempts?: number;
  readonly firstDelayMs?: number;
  readonly onOutcome: (outcome: Outcome) => void;
};

/** After this many failed packages in a row, the source counts as gone. */
const goneAfter = 8;

/**
 * Imports the offered packages, a few at a time. An existing package with the same bytes is left alone, so an interrupted run can
 * be repeated and continues where it stopped. Nothing is ever replaced.
 * @throws FeedError STORAGE_FULL, SERVER_SILENT, SERVER_STRANGE, SOURCE_UNREACHABLE when continuing is pointless
 */
export async function importPackages(
  packages: readonly RemotePackage[],
  target: ImportTarget,
  options: ImportOptions,
): Promise<void> {
  const rest = packages.values();
  let unreachable = 0;
  let end: unknown;
  async function work(): Promise<void> {
    for (const remote of rest) {
      if (options.signal.aborted || end !== undefined) return;
      try {
        options.onOutcome(await importOne(remote, target, options));
        unreachable = 0;
      } catch (error) {
        if (options.signal.aborted) return;
        const code = error instanceof FeedError ? error.code : undefined;
        unreachable = code === 'SOURCE_UNREACHABLE' ? unreachable + 1 : 0;
        if (code === undefined || isFatal(code) || unreachable >= goneAfter) {
          end ??= error;
          return;
        }
        const kind = code === 'SOURCE_UNREACHABLE' || code === 'SOURCE_REFUSED' ? 'failed' : 'refused';
        options.onOutcome({ kind, remote, reason: (error as FeedError).message });
      }
    }
  }
  await Promise.all(Array.from({ length: options.parallel }, work));
  if (end !== undefined) throw end;
}

/**
 * What the feed has of a remote package: undefined when it is to be imported.
 * @throws FeedError IMPORT_DIFFERS when it has other bytes
 */
export async function compareWithTarget(
  remote: RemotePackage,
  target: Pick<ImportTarget, 'find'>,
): Promise<ExistingPackage | undefined> {
  const { id, version } = remote;
  const present = await target.find(id, version);
  if (present === undefined) return undefined;
  const announced = await remote.hash();
  const known = announced && present[announced.algorithm];
  if (known !== undefined && known !== announced?.hex) fail('IMPORT_DIFFERS', { id, version });
  return present;
}

async function importOne(
  remote: RemotePackage,
  target: ImportTarget,
  options: ImportOptions,
): Promise<Outcome> {
  const present = await compareWithTarget(remote, target);
  if (present !== undefined) return keepListing(remote, present, target);
  if ((remote.sizeBytes ?? 0) > options.maxBytes) fail('PACKAGE_TOO_LARGE', { maxBytes: options.maxBytes });
  try {
    return await patiently(options, () => transfer(remote, target));
  } catch (error) {
    // Somebody was faster: another file with the same version in the folder, or a push.
    const wasFaster = error instanceof FeedError && error.code === 'PACKAGE_EXISTS';
    const now = wasFaster ? await compareWithTarget(remote, target) : undefined;
    if (now === undefined) throw error;
    return keepListing(remote, now, target);
  }
}

async function transfer(remote: RemotePackage, target: ImportTarget): Promise<Outcome> {
  const arrival = await target.receive(await remote.open());
  try {
    const { digest, content } = arrival;
    const announced = await remote.hash();
    const found = announced && digest[announced.algorithm];
    if (announced !== undefined && announced.hex !== found) {
      const { algorithm, hex: expected } = announced;
      fail('IMPORT_HASH', { algorithm: algorithm.toUpperCase(), expected, found: found ?? '' });
    }
    const { isListed, published } = remote;
    const addresses = await addressesOf(content);
    await arrival.publish({ authorize: (nuspec) => checkIdentity(remote, nuspec), isListed, published });
    return { kind: 'imported', remote, sizeBytes: digest.sizeBytes, addresses };
  } finally {
    await arrival.discard();
  }
}

async function addressesOf(content: string | Buffer): Promise<readonly string[]> {
  try {
    return await withNupkg(
      typeof content === 'string' ? content : sourceOfBytes(content),
      addressesInScripts,
    );
  } catch (error) {
    // Publishing says what is wrong with the package.
    if (error instanceof FormatError) return [];
    throw error;
  }
}

/** A server might send one package under the name of another. */
function checkIdentity(remote: RemotePackage, nuspec: Nuspec): void {
  const [expected, found] = [nameOf(remote), nameOf(nuspec)];
  if (expected.toLowerCase() !== found.toLowerCase()) fail('IMPORT_IDENTITY', { expected, found });
}

function nameOf({ id, version }: { readonly id: string; readonly version: string }): string {
  return `${id} ${normalizeVersion(version)}`;
}

/** A version that was unlisted at the source since is unlisted here too; what was unlisted here stays unlisted. */
async function keepListing(
  remote: RemotePackage,
  present: ExistingPackage,
  target: ImportTarget,
): Promise<Outcome> {
  if (remote.isListed || !present.isListed) return { kind: 'there', remote };
  await target.unlist(remote.id, remote.version);
  return { kind: 'unlisted', remote };
}

async function patiently<T>(
  { attempts = 4, firstDelayMs = 1_000, signal }: ImportOptions,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const mayPass = error instanceof FeedError && error.code === 'SOURCE_UNREACHABLE';
      if (!mayPass || attempt >= attempts || signal.aborted) throw error;
      await sleep(firstDelayMs * 2 ** (attempt - 1), undefined, { signal });
    }
  }
}

function isFatal(code: string): boolean {
  return ['STORAGE_FULL', 'SERVER_SILENT', 'SERVER_STRANGE'].includes(code);
}

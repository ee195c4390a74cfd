import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from '../../formats/nuget-version.ts';
import type { ManifestText, NameFacts, PublicVersion, StoredBytes } from '../catalog/prunable.ts';
import { normalized, versionsIn } from './versions-in.ts';

export type PrunePolicy = {
  /** So many of the newest betas of each name stay; at least 1. */
  readonly betas: number;
  /** What was published after this moment stays; in ms. */
  readonly before: number;
};

/** What the branches of the bucket offer, read once for all names. */
export type Branches = {
  readonly named: ToolsByVersion;
  /** By tool, what main offers; undefined where only beta offers it. */
  readonly main: ReadonlyMap<string, string | undefined>;
};

/**
 * Why a beta stays. `promotion`: its stable version is published and main does not offer that yet, so a promotion was cut off, which
 * reads the beta again. `correction`: a correction has its bytes.
 */
export const keepers = ['branch', 'rollout', 'promotion', 'correction', 'newest', 'young'] as const;
export type Keeper = (typeof keepers)[number];

/** A beta; `keptBy` is undefined where nobody needs it. */
export type PlannedBeta = { readonly beta: PublicVersion; readonly keptBy: Keeper | undefined };

/** In lower case and normalized: a beta is compared with the few that have its number, whatever the number of tools. */
type ToolsByVersion = ReadonlyMap<string, ReadonlySet<string>>;
type Beta = { readonly is: PublicVersion; readonly version: NuGetVersion; readonly normalized: string };
type Keep = (beta: Beta) => boolean;

export function branchesOf(manifests: {
  readonly main: readonly ManifestText[];
  readonly beta: readonly ManifestText[];
}): Branches {
  const offered = [...manifests.beta, ...manifests.main];
  const main = new Map(manifests.main.map(({ tool, version }) => [tool.toLowerCase(), version]));
  return {
    named: toolsByVersion(offered),
    main: new Map(offered.map(({ tool }) => [tool.toLowerCase(), main.get(tool.toLowerCase())])),
  };
}

/**
 * The betas of a name (`U-beta.N` and `U.k-beta.N`, contract section 6), newest first, and which of them may go. Tags and
 * `/m/TOOL/VERSION` name every version that ever was, so they keep none.
 */
export function planPrune(facts: NameFacts, branches: Branches, policy: PrunePolicy): readonly PlannedBeta[] {
  const betas = facts.versions
    .flatMap((is) => readBeta(is) ?? [])
    .sort((a, b) => compareNuGetVersions(b.version, a.version));
  const keeps: Readonly<Record<Keeper, Keep>> = {
    branch: namedByManifests(facts, branches),
    rollout: namedByRollouts(facts),
    promotion: isBeingPromoted(facts, branches),
    correction: hasBytesOfCorrections(facts),
    newest: isAmongNewest(betas, policy),
    young: ({ is }) => is.at > policy.before,
  };
  return betas.map((beta) => ({ beta: beta.is, keptBy: keepers.find((keeper) => keeps[keeper](beta)) }));
}

/** The sizes of the bytes that no other version of the name has. */
export function freedBytes({ versions }: NameFacts, goes: ReadonlySet<PublicVersion>): number {
  const kept = new Set(
    versions.flatMap((one) => (goes.has(one) ? [] : bytesOf(one).map(({ sha256 }) => sha256))),
  );
  const freed = new Map([...goes].flatMap(bytesOf).map(({ sha256, sizeBytes }) => [sha256, sizeBytes]));
  return [...freed].reduce((sum, [sha256, size]) => (kept.has(sha256) ? sum : sum + size), 0);
}

function bytesOf({ package: nupkg, payloads }: PublicVersion): readonly StoredBytes[] {
  return nupkg === undefined ? payloads : [nupkg, ...payloads];
}

/** Other prereleases, such as `1.0.0-rc.1` of somebody else's package, are none of ours. */
function readBeta(is: PublicVersion): Beta | undefined {
  const version = parseNuGetVersion(is.version);
  const spelled = normalized(is.version);
  if (version === undefined || spelled === undefined) return undefined;
  return /-beta\.[1-9]\d*$/.test(spelled) && version.labels.length === 2
    ? { is, version, normalized: spelled }
    : undefined;
}

/**
 * A tool whose package has another name is on the branches under its own, and the database does not say which package it is: then
 * every beta with that number stays.
 */
function namedByManifests({ name, manifests, isPackage }: NameFacts, { named }: Branches): Keep {
  const wanted = name.toLowerCase();
  const all = [named, toolsByVersion(manifests)];
  return (beta) =>
    all.some((tools) =>
      [...(tools.get(beta.normalized) ?? [])].some((tool) => tool === wanted || !isPackage(tool)),
    );
}

function toolsByVersion(manifests: readonly ManifestText[]): ToolsByVersion {
  const found = new Map<string, Set<string>>();
  for (const [tool, versions] of versionsIn(manifests))
    for (const version of versions) found.set(version, (found.get(version) ?? new Set()).add(tool));
  return found;
}

/** An open one needs the betas that its version was made from; the betas of a correction are what follows a rollback. */
function namedByRollouts({ rollouts }: NameFacts): Keep {
  const exact = new Set<string | undefined>();
  const stable = new Set<string | undefined>();
  for (const { isOpen, version, corrections } of rollouts) {
    for (const one of [version, ...corrections]) exact.add(normalized(one));
    for (const one of isOpen ? [version, ...corrections] : corrections) stable.add(normalized(one));
  }
  return (beta) => exact.has(beta.normalized) || stable.has(stableOf(beta));
}

function isBeingPromoted({ name, versions }: NameFacts, { main }: Branches): Keep {
  const tool = name.toLowerCase();
  const published = new Set(versions.map(({ version }) => normalized(version)));
  const offered = parseNuGetVersion(main.get(tool) ?? '');
  return (beta) =>
    main.has(tool) &&
    published.has(stableOf(beta)) &&
    (offered === undefined || compareNuGetVersions({ ...beta.version, labels: [] }, offered) > 0);
}

/** Its record names the bytes (contract section 5), which are those of a beta where that was promoted. */
function hasBytesOfCorrections({ versions }: NameFacts): Keep {
  const corrections = versions.filter(({ version }) => {
    const parsed = parseNuGetVersion(version);
    return parsed !== undefined && parsed.numbers[3] > 0 && parsed.labels.length === 0;
  });
  const hashes = new Set(corrections.flatMap(({ payloads }) => payloads.map(({ sha256 }) => sha256)));
  return ({ is }) => is.payloads.some(({ sha256 }) => hashes.has(sha256));
}

/** The very newest stays even if it is withdrawn: its number says which comes next. Other withdrawn ones are not counted. */
function isAmongNewest(betas: readonly Beta[], { betas: count }: PrunePolicy): Keep {
  const listed = betas.filter(({ is }) => is.isListed).slice(0, count);
  const newest = new Set([...betas.slice(0, 1), ...listed]);
  return (beta) => newest.has(beta);
}

function stableOf({ version }: Beta): string | undefined {
  return normalized(version.numbers.join('.'));
}

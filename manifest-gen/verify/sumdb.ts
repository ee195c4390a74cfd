import { type GoModuleVersion, readPrograms } from '../../formats/go-buildinfo.ts';
import { jsonOf } from '../../formats/json.ts';
import type { Fetched, Found, GoModule, Verdict } from '../release.ts';
import { keyOfSetting } from './checksum-database/note.ts';
import { DatabaseProof, proveSums } from './checksum-database/proof.ts';
import { modulesProofName } from './sidecar-name.ts';
import { type About, absent, failed, passed } from './verdict.ts';

/**
 * Does the Go checksum database have the module, however many exes were built from it? The go command compared it while it built
 * here; from a bundle the database's own proof is read, of the module and of all others that the exes name.
 */
export function checkSumdb(fetched: Fetched): readonly (Verdict | Promise<Verdict>)[] {
  const { found, assets } = fetched;
  const module = assets[0]?.goModule;
  if (module === undefined) return [];
  if (!module.isSumChecked || found.bundledBy === undefined) return [checkAsked(module)];
  return [checkProof(aboutOf(module), module, fetched, found.bundledBy)];
}

/** What the go command learned from the database about the module. */
export function checkAsked(module: GoModule): Verdict {
  const about = aboutOf(module);
  if (!module.isSumChecked) return absent(about, 'The Go checksum database was not asked.');
  return passed(about, `The Go checksum database has the module as ${module.sum}.`);
}

function aboutOf({ module, version }: GoModule): About {
  return { kind: 'sumdb', subject: `${module}@${version}` };
}

async function checkProof(
  about: About,
  { module: path, version, sum }: GoModule,
  { assets, sidecars }: Fetched,
  { keyId, gosumdb }: NonNullable<Found['bundledBy']>,
): Promise<Verdict> {
  const broken = (expected: string, found: string): Verdict =>
    failed(about, `Go checksum database: expected ${expected}, found ${found}.`, expected, found);
  const key = keyOfSetting(gosumdb);
  if (key === undefined)
    return absent(about, 'The Go checksum database is off here, or GOSUMDB has no key of it.');
  const text = sidecars.find(({ name }) => name === modulesProofName)?.text;
  if (text === undefined) return absent(about, 'The bundle has no proof of the Go checksum database.');
  const proof = DatabaseProof.safeParse(jsonOf(text));
  const proved = proof.success ? proveSums(proof.data, key) : { problem: 'it cannot be read' };
  if ('problem' in proved) return broken(`a proof by ${key.name}`, proved.problem);

  const named = await modulesIn(assets);
  if (named === undefined)
    return broken('exes that name the modules they were built from', 'one that does not');
  const missing = named.find((module) => !proved.sums.has(keyFor(module)));
  if (missing !== undefined) return absent(about, `The bundle has no proof of ${keyFor(missing)}.`);
  const other = [{ path, version, sum }, ...named].find(
    (module) => proved.sums.get(keyFor(module)) !== module.sum,
  );
  if (other !== undefined)
    return broken(`${keyFor(other)} ${proved.sums.get(keyFor(other)) ?? 'none'}`, other.sum || 'none');
  const others = new Set(named.map(keyFor)).size - 1;
  const detail = `The Go checksum database has the module as ${sum}, and the ${others} others that the exes name as they name them: proved by the tree that ${key.name} signed. That the exes were built from them says the bundle signed by ${keyId}.`;
  return { ...passed(about, detail), keyId };
}

/** All modules, main and others, that any of the exes was built from; undefined when one has no build info. */
async function modulesIn(assets: Fetched['assets']): Promise<readonly GoModuleVersion[] | undefined> {
  const programs = await readPrograms(assets);
  const named = programs.map(({ info }) => info?.module && [info.module, ...info.dependencies]);
  return named.some((modules) => modules === undefined)
    ? undefined
    : named.flatMap((modules) => modules ?? []);
}

function keyFor({ path, version }: Pick<GoModuleVersion, 'path' | 'version'>): string {
  return `${path}@${version}`;
}

import {
  parseScoopManifest,
  printScoopManifest,
  type ScoopManifest,
} from '../../../formats/scoop-manifest.ts';

export type RebasedManifest = NonNullable<ReturnType<typeof rebaseManifest>>;

/**
 * A manifest with another base address; the rest of it is unchanged.
 * @param from whose addresses are replaced; when undefined, those of the server that made the manifest
 * @param to a base address, without a slash at its end
 * @returns undefined when the manifest names nothing below `from`, or no server at all
 * @throws FormatError JSON_*, MANIFEST_INVALID
 */
export function rebaseManifest(
  text: string,
  tool: string,
  { from: asked, to }: { readonly from: string | undefined; readonly to: string },
) {
  const manifest = parseScoopManifest(text);
  const from = asked ?? baseOf(manifest, tool);
  if (from === undefined) return undefined;
  const move = (value: unknown): unknown => moved(value, `${from}/`, `${to}/`);
  const endpoints = ['url', 'architecture', 'checkver', 'autoupdate'] as const;
  const rebased = Object.fromEntries(
    Object.entries(manifest).map(([key, value]) => [
      key,
      endpoints.some((one) => one === key) ? move(value) : value,
    ]),
  );
  const after = printScoopManifest(parseScoopManifest(JSON.stringify(rebased)));
  if (after === printScoopManifest(manifest)) return undefined;
  const before = new Set(downloadsOf(manifest).map(({ url }) => url));
  // what clients will download from now on
  const downloads = downloadsOf(parseScoopManifest(after)).filter(({ url }) => !before.has(url));
  return { version: manifest.version, from, text: after, downloads };
}

/**
 * A manifest with the base address of another one: everything that a rebase may not change is then the same in both. `from` and
 * `to` are where the first payload's address differs.
 */
export function rebasedLike(
  text: string,
  tool: string,
  like: string,
): { readonly text: string; readonly moves: readonly { readonly from: string; readonly to: string }[] } {
  const moves: { from: string; to: string }[] = [];
  let moved = text;
  for (const addressOf of [checkAddress, payloadAddress]) {
    const [before, after] = [moved, like].map((one) => addressOf(parseScoopManifest(one)));
    const move = before === undefined || after === undefined ? undefined : differenceOf(before, after);
    const rebased = move && rebaseManifest(moved, tool, move);
    if (move === undefined || rebased === undefined) continue;
    moves.push(move);
    moved = rebased.text;
  }
  return { text: moved, moves };
}

/** What comes before the last parts that both have; undefined when they are the same address. */
function differenceOf(
  before: string,
  after: string,
): { readonly from: string; readonly to: string } | undefined {
  const [left, right] = [before.split('/'), after.split('/')];
  while (left.length > 0 && left.at(-1) === right.at(-1)) {
    left.pop();
    right.pop();
  }
  return left.length === 0 || right.length === 0 ? undefined : { from: left.join('/'), to: right.join('/') };
}

function checkAddress({ checkver }: ScoopManifest): string | undefined {
  return typeof checkver === 'object' ? checkver.url : undefined;
}

function payloadAddress(manifest: ScoopManifest): string | undefined {
  return downloadsOf(manifest)[0]?.url;
}

/** `checkver` has the server's address; without it, the payloads may be at the server's usual address. */
function baseOf(manifest: ScoopManifest, tool: string): string | undefined {
  const asked = checkAddress(manifest);
  const end = `/m/${tool}.json`;
  if (asked?.endsWith(end)) return asked.slice(0, -end.length);
  const place = `/dl/${tool}/${manifest.version}/`;
  const payload = downloadsOf(manifest).find(({ url }) => url.includes(place));
  return payload?.url.slice(0, payload.url.indexOf(place));
}

/** Whether two manifests install files with the same bytes. */
export function hasSameFiles(one: string, other: string): boolean {
  const [files, others] = [one, other].map((text) =>
    downloadsOf(parseScoopManifest(text))
      .map(({ sha256 }) => sha256)
      .sort()
      .join(),
  );
  return files === others;
}

/** Addresses without Scoop's `#/NAME`, and their hashes. */
function downloadsOf(manifest: ScoopManifest) {
  return [manifest, ...Object.values(manifest.architecture ?? {})].flatMap((block) => {
    const hashes = [block?.hash ?? []].flat();
    return [block?.url ?? []].flat().map((url, at) => ({
      url: url.replace(/#.*$/, ''),
      sha256: (hashes[at] ?? '').replace(/^sha256:/i, '').toLowerCase(),
    }));
  });
}

function moved(value: unknown, from: string, to: string): unknown {
  if (typeof value === 'string') return value.startsWith(from) ? `${to}${value.slice(from.length)}` : value;
  if (Array.isArray(value)) return value.map((one) => moved(one, from, to));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, moved(one, from, to)]));
}

import * as z from 'zod';
import { fail, visible } from './format-error.ts';
import { readJson } from './json.ts';
import * as f from './scoop-fields.ts';

/** The keys that an architecture may set; `checkHashes` checks each block. */
const Block = z
  .strictObject({
    url: f.DownloadAddresses.optional(),
    hash: f.Hashes.optional(),
    extract_dir: f.Texts.optional(),
    pre_install: f.Texts.optional(),
    installer: f.Installer.optional(),
    post_install: f.Texts.optional(),
    uninstaller: f.Uninstaller.optional(),
    bin: f.TextsOrLists.optional(),
    env_add_path: f.Texts.optional(),
    shortcuts: f.Shortcuts.optional(),
    env_set: f.AnyObject.optional(),
    pre_uninstall: f.Texts.optional(),
    post_uninstall: f.Texts.optional(),
    checkver: f.Checkver.optional(),
  })
  .superRefine(checkHashes);

const AutoupdateBlock = z.strictObject({
  url: f.Addresses.optional(),
  hash: f.HashExtractions.optional(),
  extract_dir: f.Texts.optional(),
  installer: f.InstallerFile.optional(),
  bin: f.TextsOrLists.optional(),
  env_add_path: f.Texts.optional(),
  shortcuts: f.Shortcuts.optional(),
  env_set: f.AnyObject.optional(),
});

/**
 * A manifest of a Scoop bucket (spec scoop 3.1), as strict as Scoop's schema: an unknown key such as `preinstall` would silently
 * never run. It is stricter in two points: a hash has the length of its kind, and there are as many hashes as urls. Keys are
 * printed in the order used here, which most manifests have (spec scoop 3.2).
 */
export const ScoopManifest = z
  .strictObject({
    $schema: f.Address.optional(),
    _comment: f.Texts.optional(),
    '##': f.Texts.optional(),
    version: z.string().regex(/^[\w.\-+]+$/, 'expected letters, digits and . - + _'),
    description: z.string().optional(),
    homepage: f.Address,
    license: f.License,
    notes: f.Texts.optional(),
    depends: f.Texts.optional(),
    suggest: z.record(z.string(), f.Texts).optional(),
    cookie: f.AnyObject.optional(),
    url: f.DownloadAddresses.optional(),
    hash: f.Hashes.optional(),
    architecture: f.byArchitecture(Block).optional(),
    innosetup: z.boolean().optional(),
    extract_dir: f.Texts.optional(),
    extract_to: f.Texts.optional(),
    pre_install: f.Texts.optional(),
    installer: f.Installer.optional(),
    post_install: f.Texts.optional(),
    uninstaller: f.Uninstaller.optional(),
    bin: f.TextsOrLists.optional(),
    env_add_path: f.Texts.optional(),
    shortcuts: f.Shortcuts.optional(),
    env_set: f.AnyObject.optional(),
    psmodule: f.Module.optional(),
    persist: f.TextsOrLists.optional(),
    pre_uninstall: f.Texts.optional(),
    post_uninstall: f.Texts.optional(),
    checkver: f.Checkver.optional(),
    autoupdate: z
      .strictObject({
        url: f.Addresses.optional(),
        architecture: f.byArchitecture(AutoupdateBlock).optional(),
        hash: f.HashExtractions.optional(),
        extract_dir: f.Texts.optional(),
        installer: f.InstallerFile.optional(),
        bin: f.TextsOrLists.optional(),
        env_add_path: f.Texts.optional(),
        shortcuts: f.Shortcuts.optional(),
        env_set: f.AnyObject.optional(),
        psmodule: f.Module.optional(),
        persist: f.TextsOrLists.optional(),
        license: f.License.optional(),
        notes: f.Texts.optional(),
      })
      .optional(),
  })
  .superRefine(checkHashes)
  .superRefine(checkUrl);
export type ScoopManifest = z.infer<typeof ScoopManifest>;

/** @throws FormatError JSON_*, or MANIFEST_INVALID with every problem and its place */
export function parseScoopManifest(text: string): ScoopManifest {
  return validate(readJson(text));
}

/**
 * Scoop's own formatting (spec scoop 3.2): four spaces, a list with one item becomes that item, keys in the order of the schema.
 * LF and a final newline; git makes the CRLF of the work tree.
 * @throws FormatError MANIFEST_INVALID, JSON_*
 */
export function printScoopManifest(manifest: ScoopManifest): string {
  const text = `${JSON.stringify(collapseObject(validate(manifest)), null, 4)}\n`;
  // Text with line breaks becomes a list, which not every key allows, and keys may differ in case only, so the result is parsed
  // again.
  parseScoopManifest(text);
  return text;
}

const maxProblems = 20;

function validate(value: unknown): ScoopManifest {
  const parsed = ScoopManifest.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => describeIssue(issue, [])).slice(0, maxProblems);
  return fail(
    'MANIFEST_INVALID',
    { problems: problems.map((problem) => visible(problem)).join('; ') },
    parsed.error,
  );
}

/** When no member of a union fits, describes the one that at least had the right type. */
function describeIssue(issue: z.core.$ZodIssue, parents: readonly PropertyKey[]): string[] {
  const path = [...parents, ...issue.path];
  if (issue.code === 'invalid_union') {
    const inside = issue.errors.find((issues) =>
      issues.some((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'),
    );
    if (inside !== undefined) return inside.flatMap((inner) => describeIssue(inner, path));
  }
  return [`${path.length > 0 ? path.map(String).join('.') : 'manifest'}: ${issue.message}`];
}

function checkHashes(
  block: { url?: string | string[] | undefined; hash?: string | string[] | undefined },
  context: z.RefinementCtx,
): void {
  if (block.url === undefined || block.hash === undefined) return;
  const urls = [block.url].flat().length;
  const hashes = [block.hash].flat().length;
  if (urls !== hashes) {
    context.addIssue({
      code: 'custom',
      path: ['hash'],
      message: `expected ${urls} for as many urls, found ${hashes}`,
    });
  }
}

function checkUrl(
  manifest: { url?: unknown; architecture?: Record<string, { url?: unknown } | undefined> | undefined },
  context: z.RefinementCtx,
): void {
  const blocks = [manifest, ...Object.values(manifest.architecture ?? {})];
  if (blocks.every((block) => block?.url === undefined)) {
    context.addIssue({ code: 'custom', path: ['url'], message: 'expected one, here or for an architecture' });
  }
}

/** Does to each value what Scoop's formatjson does, until nothing changes any more; objects in longer lists stay as they are. */
function collapseObject(object: object): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, collapse(value)]));
}

function collapse(value: unknown): unknown {
  if (typeof value === 'string') {
    const lines = value.split(/\r?\n/).map((line) => line.trim());
    return lines.length > 1 ? lines : value;
  }
  if (Array.isArray(value)) {
    const [first] = value;
    if (value.length > 1) return value.map(unwrap);
    return value.length === 0 || Array.isArray(first) ? value : collapse(first);
  }
  return typeof value === 'object' && value !== null ? collapseObject(value) : value;
}

function unwrap(item: unknown): unknown {
  return Array.isArray(item) && item.length === 1 ? unwrap(item[0]) : item;
}

import { open } from 'node:fs/promises';
import * as z from 'zod';
import { fail } from '../errors/release-error.ts';
import { jsonOf } from '../formats/json.ts';
import { parseGoVersion, stdlibVersion } from '../vulnerabilities/go-version.ts';
import { type Composition, stdlib } from '../vulnerabilities/modules.ts';

const maxBytes = 64 * 1024 * 1024;
const maxDepth = 32;

type Component = {
  readonly purl?: string | undefined;
  readonly components?: readonly Component[] | undefined;
};
const Component: z.ZodType<Component> = z.object({
  purl: z.string().optional().catch(undefined),
  get components() {
    return z.array(Component).optional();
  },
});
const Bom = z.object({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.object({ component: Component.optional() }).optional(),
  components: z.array(Component).default([]),
});

/**
 * The Go modules and toolchains of a CycloneDX file (JSON), whatever made it: each component with a `pkg:golang` address.
 * @throws ReleaseError DEVBOX_SBOM
 */
export async function readSbom(path: string): Promise<Composition> {
  const text = await readText(path);
  const value = jsonOf(text);
  if (depthOf(value) > maxDepth * 2) invalid(path, `it nests deeper than ${maxDepth}`);
  const bom = Bom.safeParse(value);
  if (!bom.success) return invalid(path, 'it is not CycloneDX in JSON');
  const modules = new Map<string, { readonly path: string; readonly version: string }>();
  const all = [
    ...bom.data.components,
    ...(bom.data.metadata?.component ? [bom.data.metadata.component] : []),
  ];
  for (const purl of all.flatMap(purlsOf)) {
    const module = readPurl(purl);
    if (module !== undefined) modules.set(`${module.path}@${module.version}`, module);
  }
  const sorted = [...modules.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const isKnown = ({ version }: { readonly version: string }): boolean =>
    parseGoVersion(version) !== undefined;
  return {
    modules: sorted.filter(isKnown),
    unknown: sorted.filter((one) => !isKnown(one)).map(({ path: name }) => name),
    ...{ goos: '', goarch: '' },
  };
}

function purlsOf({ purl, components = [] }: Component): readonly string[] {
  return [...(purl === undefined ? [] : [purl]), ...components.flatMap(purlsOf)];
}

/**
 * `pkg:golang/github.com/google/uuid@v1.6.0?type=module#dir`. The standard library is `std` for cyclonedx-gomod and `stdlib` for
 * syft and others, with the toolchain's version.
 */
export function readPurl(purl: string): { readonly path: string; readonly version: string } | undefined {
  const [, name, version = ''] = /^pkg:golang\/([^@?#]+)(?:@([^?#]*))?/.exec(purl) ?? [];
  if (name === undefined) return undefined;
  const [path, text] = [decoded(name), decoded(version)];
  if (path === undefined || text === undefined) return undefined;
  if (path !== 'std' && path !== stdlib) return { path, version: text };
  return { path: stdlib, version: stdlibVersion(`go${text.replace(/^(go|v)/, '')}`) ?? '' };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string> {
  const file = await open(path).catch((error: Error) => invalid(path, error.message));
  try {
    const { size } = await file.stat();
    if (size > maxBytes) invalid(path, `it has ${size} bytes; at most ${maxBytes} are read`);
    return await file.readFile('utf8').catch((error: Error) => invalid(path, error.message));
  } finally {
    await file.close();
  }
}

function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > maxDepth * 2) return depth;
  let deepest = depth;
  for (const one of Object.values(value)) deepest = Math.max(deepest, depthOf(one, depth + 1));
  return deepest;
}

function invalid(file: string, problem: string): never {
  return fail('DEVBOX_SBOM', { file, problem });
}

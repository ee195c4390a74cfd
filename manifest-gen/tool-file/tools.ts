import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { fail, ReleaseError } from '../../errors/release-error.ts';
import { isPackageId } from '../../formats/nuspec-fields.ts';
import { decodeToolFile } from './decode.ts';
import { ToolPackage } from './package.ts';
import { WrittenPlan } from './rollout-plan.ts';
import { PackagePath, Source, type SourceOf, type UpstreamKind } from './sources.ts';
import { Trust, unlistedSources } from './trust.ts';
import { withRoots } from './trust-roots.ts';
import { ruleFor, Versions } from './version-rules.ts';

const PlainVersion = z
  .string()
  .regex(/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/, 'is not a version like 1.22.0');
/** It becomes a folder, a package id, a branch's file: nothing that a path or a shell would read. */
const Name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'is not a name in lower case letters, digits and -');

/** A tool's file, manifest-gen/tools/NAME.yaml: all that the generator knows of a tool. */
export const Tool = z
  .strictObject({
    /** Name of the tool and the Scoop app: `delve`. */
    tool: Name,
    /** The package id, when it differs. */
    packageId: z.string().refine(isPackageId, 'is not a package id').optional(),
    /** The command people type, without .exe: `dlv`. */
    command: Name,
    /** What `start` releases on an empty feed; default: the newest. */
    first: PlainVersion.optional(),
    /** The upstream versions that may be taken without being named; default all. */
    versions: Versions.optional(),
    /** `3d`, `12h`: younger releases are not taken without being named. */
    minAge: z
      .string()
      .regex(/^\d{1,6}[dh]$/, 'is not like 3d or 12h')
      .optional(),
    /** In the order they are asked. */
    sources: z.array(Source).min(1),
    /** What the exe's Go build info must name as its module, first match. */
    module: z.array(z.strictObject({ versions: Versions.optional(), path: PackagePath })).min(1),
    trust: Trust,
    /** How `release:rollout start` gives its versions to machines, as it is written. */
    rollout: WrittenPlan.optional(),
    /** Its texts; a tool without them has templates written by hand (tool-file/templates.ts). */
    package: ToolPackage.optional(),
  })
  .superRefine(({ sources, trust }, issues) => {
    const kinds = sources.map((source) => source.kind);
    if (new Set(kinds).size < kinds.length) {
      issues.addIssue({ code: 'custom', path: ['sources'], message: 'names a source twice' });
    }
    for (const [index, source] of sources.entries()) {
      if ('sigstore' in source && source.sigstore !== undefined && source.checksums === undefined) {
        const path = ['sources', index, 'sigstore'];
        issues.addIssue({
          code: 'custom',
          path,
          message: 'signs the checksum file, and `checksums` names none',
        });
      }
    }
    for (const kind of unlistedSources(trust, kinds)) {
      issues.addIssue({ code: 'custom', path: ['trust', 'require'], message: `has no list for ${kind}` });
    }
  });
export type Tool = z.infer<typeof Tool>;

/** A tool with an invalid file; the others are not affected. */
export type BrokenTool = { readonly tool: string; readonly error: ReleaseError };
export type ToolsFolder = Awaited<ReturnType<typeof readTools>>;

/**
 * The tools of a folder, by name; a file is named after its tool. If all of `only` have a file, no other is read, but `names` are always all.
 * @throws ReleaseError TOOL_FILE_INVALID when the folder has none or cannot be read
 */
export async function readTools(dir: string, only: readonly string[] = []) {
  const files = await readdir(dir).catch((cause: unknown) =>
    fail('TOOL_FILE_INVALID', { file: dir, problems: 'the folder cannot be read' }, cause),
  );
  const names = files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
  if (names.length === 0) fail('TOOL_FILE_INVALID', { file: dir, problems: 'the folder has no .yaml file' });
  const isEnough = only.length > 0 && only.every((name) => names.includes(name));
  const broken: BrokenTool[] = [];
  const read = await Promise.all(
    names
      .filter((name) => !isEnough || only.includes(name))
      .map((name) =>
        readTool(join(dir, `${name}.yaml`), name).catch((error: unknown) => {
          if (!(error instanceof ReleaseError)) throw error;
          broken.push({ tool: name, error });
        }),
      ),
  );
  const tools: readonly Tool[] = read.filter((tool) => tool !== undefined);
  return { tools, broken: broken.sort((a, b) => (a.tool < b.tool ? -1 : 1)), names };
}

/** @throws ReleaseError TOOL_FILE_INVALID with every problem of every bad file */
export function requireWhole({ tools, broken }: Pick<ToolsFolder, 'tools' | 'broken'>): readonly Tool[] {
  const [first, ...others] = broken;
  if (first === undefined) return tools;
  if (others.length === 0) throw first.error;
  return fail('TOOL_FILES_INVALID', { sentences: broken.map(({ error }) => error.message).join('\n') });
}

async function readTool(file: string, name: string): Promise<Tool> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) =>
    fail('TOOL_FILE_INVALID', { file, problems: 'it cannot be read' }, cause),
  );
  const tool = decodeToolFile(Tool, text, file);
  if (tool.tool !== name) fail('TOOL_FILE_INVALID', { file, problems: `it names the tool ${tool.tool}` });
  return { ...tool, trust: await withRoots(tool.trust, dirname(file), file) };
}

export function sourceOf<Kind extends UpstreamKind>(tool: Tool, kind: Kind): SourceOf<Kind> | undefined {
  return tool.sources.find((source): source is SourceOf<Kind> => source.kind === kind);
}

/** The tool's own module at a version of upstream's, as its file names it. */
export function moduleOf(
  { tool, module: rules }: Pick<Tool, 'tool' | 'module'>,
  version: string | undefined,
) {
  return { path: ruleFor(rules, version ?? '')?.path ?? tool, version };
}

/** What the feed calls its package. */
export function packageIdOf({ tool, packageId = tool }: Pick<Tool, 'tool' | 'packageId'>): string {
  return packageId;
}

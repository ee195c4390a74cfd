import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { fail } from '../../errors/release-error.ts';
import { decodeToolFile } from './decode.ts';
import type { Tool } from './tools.ts';
import { EvidenceKinds, Trust } from './trust.ts';
import { withRoots } from './trust-roots.ts';

/** TRUST_FILE (contract section 4), for private forges and tests: tool -> what replaces its file's `trust:`. */
const TrustFile = z.record(z.string(), Trust.extend({ require: EvidenceKinds }));

/**
 * The tools with the trust that the file gives them; tools it does not name keep their own. A relative `trustedRoot` or `roots`
 * starts at the file's folder.
 * @param known all tools that there are, where `tools` is not all of them
 * @throws ReleaseError TOOL_FILE_INVALID, also when the file names an unknown tool: a typing error would otherwise silently keep
 * another trust in force
 */
export async function applyTrustFile(
  tools: readonly Tool[],
  file: string,
  known: readonly string[] = tools.map(({ tool }) => tool),
): Promise<readonly Tool[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) =>
    fail('TOOL_FILE_INVALID', { file, problems: 'TRUST_FILE cannot be read' }, cause),
  );
  const trustOf = new Map(Object.entries(decodeToolFile(TrustFile, text, file)));
  const unknown = [...trustOf.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    fail('TOOL_FILE_INVALID', { file, problems: `there is no tool ${unknown.join(', ')}` });
  }
  const folder = dirname(file);
  return Promise.all(
    tools.map(async (tool) => {
      const trust = trustOf.get(tool.tool);
      if (trust === undefined) return tool;
      return { ...tool, trust: await withRoots(trust, folder, file) };
    }),
  );
}

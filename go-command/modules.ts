import * as z from 'zod';
import { jsonOf } from '../formats/json.ts';
import type { Go, GoCall } from './command.ts';

/** `go list -m -versions -json PATH` */
const Listed = z.object({ Versions: z.array(z.string()).default([]) });

/** The versions of a module that its proxy lists; Go's own words where it cannot say. */
export async function listVersions(
  go: Go,
  module: string,
  env: GoCall['env'] = {},
): Promise<{ readonly versions: readonly string[]; readonly fault?: string }> {
  const args = ['list', '-m', '-versions', '-json', module];
  const { exitCode, stdout, stderr } = await go.run({ args, env });
  if (exitCode !== 0) return { versions: [], fault: stderr };
  return { versions: Listed.parse(JSON.parse(stdout.toString('utf8'))).Versions };
}

/** `go mod download -json PATH@VERSION` (go.dev/ref/mod#go-mod-download) */
const Downloaded = z.object({
  Path: z.string().optional(),
  Version: z.string().optional(),
  Error: z.string().optional(),
  Info: z.string().optional(),
  GoMod: z.string().optional(),
  Sum: z.string().optional(),
  /** Checked by go against the sum. */
  Zip: z.string().optional(),
});
export type Downloaded = z.infer<typeof Downloaded>;

/**
 * Brings modules into the module cache, and what Go says of each; none where it does not get so far as to ask.
 * @param specs `path@version`
 */
export async function downloadModules(go: Go, specs: readonly string[], env: GoCall['env'] = {}) {
  const { stdout, stderr } = await go.run({ args: ['mod', 'download', '-json', ...specs], env });
  // one object after the other, each ending in a brace of its own line
  const texts = stdout.toString('utf8').split(/(?<=^\})\n/m);
  return { modules: texts.flatMap((text) => Downloaded.safeParse(jsonOf(text)).data ?? []), stderr };
}

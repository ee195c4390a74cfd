/**
 * Checks the code against the layer rules of .dependency-cruiser.mjs, and makes sure that the cruiser saw every module: with a
 * TypeScript version that it does not support it sees none and reports success.
 */
import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';

const roots = [
  'main.ts',
  'invocation.ts',
  'verbs.ts',
  'start.ts',
  'formats',
  'errors',
  'outbound',
  'tracing',
  'system',
  'go-command',
  'vulnerabilities',
  'server',
  'manifest-gen',
  'shims',
  'own-packages',
  'devbox',
  'conformance',
  'dev',
  'bench',
];
const productDir = join(import.meta.dirname, '..');

const { output } = await cruise(roots, await extractOptions(join(productDir, '.dependency-cruiser.mjs')));
if (typeof output === 'string') {
  throw new Error('dependency-cruiser answered with text where its result object was expected');
}
const seen = new Set(output.modules.map((module) => module.source));
const unseen = sources().filter((file) => !seen.has(file));
for (const { rule, from, to } of output.summary.violations) {
  process.stderr.write(`${rule.severity} ${rule.name}: ${from} -> ${to}\n`);
}
for (const file of unseen) {
  process.stderr.write(`error not-seen: ${file} was not cruised, so no rule was checked for it\n`);
}
process.stderr.write(
  `${seen.size} modules, ${output.summary.error} layer errors, ${unseen.length} not seen\n`,
);
process.exitCode = output.summary.error + unseen.length > 0 || seen.size === 0 ? 1 : 0;

function sources(): string[] {
  return roots.flatMap((root) =>
    /\.tsx?$/.test(root)
      ? [root]
      : readdirSync(join(productDir, root), { recursive: true, encoding: 'utf8' })
          .filter((file) => /\.tsx?$/.test(file))
          .map((file) => [root, ...file.split(sep)].join('/')),
  );
}

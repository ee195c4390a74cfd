import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { createSbom } from './sbom.ts';

/** Found at run time: native code, a compressor that threads load too, and a library that looks for others beside itself. */
const external = ['better-sqlite3', 'fflate', '@cyclonedx/cyclonedx-library'];

/** CommonJS packages ask for Node's modules by `require`, which ES modules do not have. */
const banner =
  "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);";

/**
 * Bundles the program with its dependencies: Node takes longer to find and open 600 modules than to run a small verb. Each verb loads
 * its own part, and the thread of feed/inspector.ts finds its program beside the rest. Types are checked by `check`.
 */
export async function bundleProgram(productDir: string, outdir: string): Promise<void> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: productDir,
    entryPoints: ['main.ts', 'server/feed/inspection-thread.ts'],
    entryNames: '[name]',
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external,
    banner: { js: banner },
    // V8 keeps the source of what it has loaded. Names stay, for stacks; the licences are in a file of their own.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 200,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    write: false,
  });
  await mkdir(outdir, { recursive: true });
  await writeChanged(join(outdir, 'licenses.txt'), await licenses(productDir, Object.keys(metafile.inputs)));
  await writeChanged(join(outdir, 'sbom.cdx.json'), await createSbom(productDir));
  // The entry points last: they name the files that must be complete by then.
  const isEntry = ({ path }: { readonly path: string }) =>
    ['main.js', 'inspection-thread.js'].includes(basename(path));
  const files = [...outputFiles.filter((file) => !isEntry(file)), ...outputFiles.filter(isEntry)];
  for (const { path, text } of files) await writeChanged(path, asAscii(text));
}

/** A single character beyond Latin 1 would double the source in memory. esbuild leaves those in regular expressions. */
function asAscii(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** In one step, and only what has changed: processes may be starting from these files. */
async function writeChanged(path: string, contents: Uint8Array | string): Promise<void> {
  const bytes = Buffer.from(contents);
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(bytes)) return;
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, bytes);
  await rename(unfinished, path);
}

/** The licence texts of all packages in the bundle, which must go along with their code. */
async function licenses(productDir: string, inputs: readonly string[]): Promise<string> {
  const dirs = inputs.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  const notices = await Promise.all(
    [...new Set(dirs)].map(async (dir) => {
      const { name, version, license, author } = JSON.parse(
        await readFile(join(productDir, dir, 'package.json'), 'utf8'),
      );
      const names = (await readdir(join(productDir, dir))).filter((file) =>
        /^(licen[cs]e|notice)/i.test(file),
      );
      const texts = await Promise.all(
        names.sort().map((file) => readFile(join(productDir, dir, file), 'utf8')),
      );
      if (texts.length === 0) texts.push(await usualText(productDir, license, author));
      return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join('\n\n');
    }),
  );
  return `${notices.sort().join(`\n\n${'-'.repeat(72)}\n\n`)}\n`;
}

/** Of a package that brings no text of its own. One under another licence fails here: its text has to be found. */
async function usualText(productDir: string, license: string, author: string): Promise<string> {
  const text = await readFile(join(productDir, 'dev', 'licenses', `${license}.txt`), 'utf8');
  return text.replace('{author}', author);
}

import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const checkout = join(import.meta.dirname, '..');

/** How to start the feed: the arguments of `node` before the verb. */
export type Product = { readonly args: readonly string[]; readonly dir: string };

/** From the checkout, like `pnpm serve`. */
export const fromCheckout: Product = { args: ['--import', 'tsx', join(checkout, 'main.ts')], dir: checkout };

/** As in the image: plain JavaScript, built into a separate folder so that the checkout's dist/ stays as it is. */
export async function buildProduct(dir: string): Promise<Product> {
  await mkdir(dir, { recursive: true });
  const tsc = join(checkout, 'node_modules', 'typescript', 'bin', 'tsc');
  const out = join(dir, 'dist');
  try {
    await promisify(execFile)(process.execPath, [
      tsc,
      '-p',
      join(checkout, 'tsconfig.build.json'),
      '--outDir',
      out,
    ]);
  } catch (error) {
    // Type errors are reported by `check`; tsc writes the JavaScript anyway.
    process.stderr.write(`tsc: ${error instanceof Error && 'stdout' in error ? error.stdout : error}\n`);
  }
  await cp(join(checkout, 'package.json'), join(dir, 'package.json'));
  for (const folder of ['server/gallery/static', 'manifest-gen/tools', 'nuspecs', 'buckets']) {
    await cp(join(checkout, folder), join(dir, folder), { recursive: true });
  }
  await symlink(join(checkout, 'node_modules'), join(dir, 'node_modules'), 'junction');
  return { args: [join(out, 'main.js')], dir };
}

import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const checkout = join(import.meta.dirname, '..');

/** How the feed is run: what stands after `node` and before the verb. */
export type Product = { readonly args: readonly string[]; readonly dir: string };

/** From the checkout, as `pnpm serve` does. */
export const fromCheckout: Product = { args: ['--import', 'tsx', join(checkout, 'main.ts')], dir: checkout };

/** As the image runs it: plain JavaScript, built into a folder of its own so that dist/ of the checkout stays as it is. */
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
    // Types that do not fit are the business of `check`; JavaScript comes out all the same.
    process.stderr.write(`tsc: ${error instanceof Error && 'stdout' in error ? error.stdout : error}\n`);
  }
  await cp(join(checkout, 'package.json'), join(dir, 'package.json'));
  for (const folder of ['server/gallery/static', 'manifest-gen/tools', 'nuspecs', 'buckets']) {
    await cp(join(checkout, folder), join(dir, folder), { recursive: true });
  }
  await symlink(join(checkout, 'node_modules'), join(dir, 'node_modules'), 'junction');
  return { args: [join(out, 'main.js')], dir };
}

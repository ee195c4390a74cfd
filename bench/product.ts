import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleProgram } from '../dev/bundle.ts';

const checkout = join(import.meta.dirname, '..');

/** How to start the feed: the arguments of `node` before the verb. */
export type Product = { readonly args: readonly string[]; readonly dir: string };

/** From the checkout, like `pnpm serve`. */
export const fromCheckout: Product = { args: ['--import', 'tsx', join(checkout, 'main.ts')], dir: checkout };

/** As in the image: plain JavaScript, built into a separate folder so that the checkout's dist/ stays as it is. */
export async function buildProduct(dir: string): Promise<Product> {
  await mkdir(dir, { recursive: true });
  const out = join(dir, 'dist');
  await bundleProgram(checkout, out);
  await cp(join(checkout, 'package.json'), join(dir, 'package.json'));
  for (const folder of ['server/gallery/static', 'manifest-gen/tools', 'nuspecs', 'buckets']) {
    await cp(join(checkout, folder), join(dir, folder), { recursive: true });
  }
  await symlink(join(checkout, 'node_modules'), join(dir, 'node_modules'), 'junction');
  return { args: [join(out, 'main.js')], dir };
}

import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleProgram } from '../dev/bundle.ts';

const checkout = join(import.meta.dirname, '..');

/** How to start the feed: the arguments of `node` before the verb, and the environment for the machine's allocator. */
export type Product = {
  readonly args: readonly string[];
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
};

/** From the checkout, like `pnpm serve`. */
export const fromCheckout: Product = {
  args: ['--import', 'tsx', join(checkout, 'main.ts')],
  dir: checkout,
  env: {},
};

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
  const image = await readFile(join(checkout, 'Dockerfile'), 'utf8');
  const settings = [...image.matchAll(/^ +(MALLOC_\w+)=(\S+)/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
  return { args: [join(out, 'main.js')], dir, env: Object.fromEntries(settings) };
}

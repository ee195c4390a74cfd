import { join } from 'node:path';
import { buildProduct, fromCheckout, type Product } from './product.ts';

export type Settings = {
  readonly workDir: string;
  readonly versions: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly isChosen: (name: string) => boolean;
  readonly say: (text: string) => void;
  /** The program to measure; built on first use. */
  readonly product: () => Promise<Product>;
};

export function productFrom(
  from: string,
  { workDir, say }: Pick<Settings, 'workDir' | 'say'>,
): Settings['product'] {
  let building: Promise<Product> | undefined;
  const build = (): Promise<Product> => {
    if (from === 'checkout') return Promise.resolve(fromCheckout);
    say('building the product');
    return buildProduct(join(workDir, 'product'));
  };
  return () => {
    building ??= build();
    return building;
  };
}

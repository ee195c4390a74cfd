import { join } from 'node:path';
import { buildProduct, fromCheckout, type Product } from './product.ts';

export type Settings = {
  readonly workDir: string;
  readonly versions: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly isFromCheckout: boolean;
  readonly isChosen: (name: string) => boolean;
  readonly say: (text: string) => void;
};

export async function productOf({ isFromCheckout, workDir, say }: Settings): Promise<Product> {
  if (isFromCheckout) return fromCheckout;
  say('building the product');
  return buildProduct(join(workDir, 'product'));
}

import type { Context } from '../context.ts';
import type { Recipe } from '../nupkg.ts';
import type { Publisher } from '../publisher.ts';
import { skip } from '../verdict.ts';

export function publisherOf({ push }: Context): Publisher {
  return push?.publisher ?? skip('needs --api-key');
}

export function recipe(context: Context, name: string): Recipe {
  return { id: `${publisherOf(context).prefix}.${name}`, version: '1.0.0' };
}

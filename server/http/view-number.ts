import type { View } from '../rollout/views.ts';

const numbers = new WeakMap<View, number>();
/** By what clients see. After so many, equal views may get other numbers. */
const byText = new Map<string, number>();
const maxTexts = 1000;
let lastNumber = 0;

/**
 * Equal only for views in which clients see the same. The key of a view would not do: what its rollouts show changes. A number, since
 * every request looks for its response by it.
 */
export function viewNumber(view: View): number {
  let number = numbers.get(view);
  if (number === undefined) {
    const text = JSON.stringify(view.grants.map(({ id, version, isListed }) => [id, version, isListed]));
    number = byText.get(text);
    if (number === undefined) {
      if (byText.size >= maxTexts) byText.clear();
      lastNumber += 1;
      number = lastNumber;
      byText.set(text, number);
    }
    numbers.set(view, number);
  }
  return number;
}

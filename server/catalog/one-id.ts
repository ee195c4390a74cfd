import type { Expression, PackageQuery } from './query.ts';

/**
 * The only id that a query can match, if there is one: an index finds its versions, and no other package can change the answer.
 */
export function idOf({ id, where }: Pick<PackageQuery, 'id' | 'where'>): string | undefined {
  if (id !== undefined) return id;
  for (const part of conjunction(where)) {
    const named = idIn(part);
    if (named !== undefined) return named;
  }
  return undefined;
}

/** The conditions that must all hold. */
export function conjunction(where: Expression | undefined): readonly Expression[] {
  if (where === undefined) return [];
  return where.kind === 'and' ? [...conjunction(where.left), ...conjunction(where.right)] : [where];
}

/** `Id eq 'x'`, in any form that clients use. */
function idIn(part: Expression): string | undefined {
  if (part.kind !== 'compare' || part.operator !== 'eq' || part.right.kind !== 'text') return undefined;
  const { left, right } = part;
  const [operand] = left.kind === 'call' && left.name === 'tolower' ? left.args : [left];
  return operand?.kind === 'property' && operand.name === 'Id' ? right.value : undefined;
}

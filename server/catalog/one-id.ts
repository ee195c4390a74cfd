import type { Expression, PackageQuery } from './query.ts';

/** The id that a query is about, if it is about one only: the index knows where its versions are, and no other package can change its answer. */
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

/** `Id eq 'x'`, as clients write it. */
function idIn(part: Expression): string | undefined {
  if (part.kind !== 'compare' || part.operator !== 'eq' || part.right.kind !== 'text') return undefined;
  const { left, right } = part;
  const [operand] = left.kind === 'call' && left.name === 'tolower' ? left.args : [left];
  return operand?.kind === 'property' && operand.name === 'Id' ? right.value : undefined;
}

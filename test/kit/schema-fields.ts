import * as z from 'zod';

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
};

/** What people may write: `trust.minisign.keys`. Lists and alternatives are no steps of their own, as pages write them. */
export function fieldsOf(written: z.ZodType): readonly string[] {
  const schema = z.toJSONSchema(written, { io: 'input', unrepresentable: 'any' }) as Schema;
  return [...new Set(namesIn(schema))].toSorted();
}

function namesIn(schema: Schema, path: readonly string[] = []): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => [
    [...path, name].join('.'),
    ...namesIn(child, [...path, name]),
  ]);
  const others = [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [...own, ...others.flatMap((other) => (other === undefined ? [] : namesIn(other, path)))];
}

/** The names in the first column of a page's tables. */
export function namedIn(page: string): readonly string[] {
  return page.split('\n').flatMap((row) => /^\| `([^`]+)`/.exec(row)?.[1] ?? []);
}

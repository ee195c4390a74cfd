import fc from 'fast-check';

/** What stands where something else should: every type, ends of numbers, names that objects have already, much nesting. */
const misfit: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 2 ** 53, '', '\ud800', '__proto__', 'http://['),
  fc.constantFrom<unknown>('2024.01.02', '9007199254740993.0.0', [], [null], {}, { length: 1 }),
  fc.constantFrom(40, 20_000).map(nested),
  fc.jsonValue({ maxDepth: 2 }),
);

/** JSON from outside that is nearly what it should be: some parts of it are something else, or gone. */
export function changedJson(seed: unknown): fc.Arbitrary<string> {
  const places = placesIn(seed);
  const change = fc.tuple(fc.constantFrom(...places), fc.oneof(misfit, fc.constant(undefined)));
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => print(changes.reduce((value, [path, by]) => replaced(value, path, by), seed)));
}

type Path = readonly string[];

function placesIn(value: unknown): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [[]];
  const inside = Object.entries(value).flatMap(([key, inner]) =>
    placesIn(inner).map((path) => [key, ...path]),
  );
  return [[], ...inside];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return value;
  if (Array.isArray(value))
    return value.map((item, at) => (at === Number(key) ? replaced(item, rest, by) : item));
  return { ...value, [key]: replaced(Reflect.get(value, key), rest, by) };
}

/** Deeper than JSON.stringify goes, so it is text before it is in anything. */
class Text {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function nested(depth: number): Text {
  return new Text('['.repeat(depth) + ']'.repeat(depth));
}

function print(value: unknown): string {
  if (value instanceof Text) return value.text;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(print).join()}]`;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${print(inner)}`).join()}}`;
}

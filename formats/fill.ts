/** The facts of a sentence by name. Of an error's, none is a secret. */
export type Details = Readonly<Record<string, string | number>>;

type Holes<Sentence extends string> = Sentence extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Holes<Rest>
  : never;
/** All facts that a sentence has a place for, so that none is left open; more may be told. */
export type FactsOf<Sentence extends string> = Details & Readonly<Record<Holes<Sentence>, string | number>>;

/** A sentence or an address with each `{name}` filled in; what no fact has the name of stays as it is. */
export function fill(sentence: string, details: Details): string {
  return sentence.replace(/\{(\w+)\}/g, (hole, name: string) => String(details[name] ?? hole));
}

/** The facts of a sentence by name. The facts of an error never include a secret. */
export type Details = Readonly<Record<string, string | number>>;

type Holes<Sentence extends string> = Sentence extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Holes<Rest>
  : never;
/** Every placeholder of the sentence needs a fact; further facts are allowed. */
export type FactsOf<Sentence extends string> = Details & Readonly<Record<Holes<Sentence>, string | number>>;

/** Fills in each `{name}` of a sentence or an address. A name without a fact stays as it is. */
export function fill(sentence: string, details: Details): string {
  return sentence.replace(/\{(\w+)\}/g, (hole, name: string) => String(details[name] ?? hole));
}

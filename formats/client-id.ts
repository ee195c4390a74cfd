/** Interface section 9: what a machine calls itself. It identifies and does not authenticate. */
const grammar = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** The id in lower case; undefined when the text is no client id. */
export function readClientId(text: string): string | undefined {
  const id = text.toLowerCase();
  return grammar.test(id) ? id : undefined;
}

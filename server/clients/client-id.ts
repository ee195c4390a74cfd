/** A client id as it is kept, in lower case; undefined where the text is none (contract section 9). */
export function readClientId(text: string): string | undefined {
  // No flag i: with it, some letters beyond ASCII would count as ASCII ones.
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text) ? text.toLowerCase() : undefined;
}

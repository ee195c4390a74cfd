/** Text of other programs as it may be shown: `https://user:password@host` loses what stands before the @. */
export function hideCredentials(text: string): string {
  return text.replace(/(\w:\/\/)[^\s/@"']+@/g, '$1');
}

/** Text of other programs as it may be shown: `https://user:password@host` loses what stands before the @. */
export function hideCredentials(text: string): string {
  // up to the last @, which is where git and curl see the host: a password may have one in it
  return text.replace(/(\w:\/\/)[^\s/"]+@/g, '$1');
}

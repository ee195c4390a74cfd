/**
 * Whether the whole id matches the glob: `*` is any text, `?` one character; in any case, like ids (spec nuget-v2 12.5). A
 * regular expression would need years for a glob with many stars; this only goes back to the last star.
 */
export function matchesGlob(glob: string, id: string): boolean {
  const [pattern, text] = [glob.toLowerCase(), id.toLowerCase()];
  let at = 0;
  let star: { readonly pattern: number; readonly text: number } | undefined;
  for (let position = 0; position < text.length; ) {
    if (pattern[at] === '*') {
      star = { pattern: at, text: position };
      at += 1;
    } else if (pattern[at] === '?' || pattern[at] === text[position]) {
      at += 1;
      position += 1;
    } else if (star) {
      // Extends the star by one character and tries the rest again.
      star = { ...star, text: star.text + 1 };
      at = star.pattern + 1;
      position = star.text;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}

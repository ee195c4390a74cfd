/**
 * The meaning of a raw plus sign in a query: a blank, as usual on the web (PSResourceGet writes blanks this way), but a plus sign
 * from NuGet's own clients, which write blanks as `%20` and send the plus signs of `c++` unescaped (spec nuget-v2 18.3).
 */
export function plusSignOf(userAgent: string | undefined): ' ' | '+' {
  return /\bNuGet [^/;()]*\/\d/i.test(userAgent ?? '') ? '+' : ' ';
}

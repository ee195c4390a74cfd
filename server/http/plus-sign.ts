/**
 * What a raw plus sign in a query means: a blank, as everywhere on the web (PSResourceGet writes blanks so), but itself
 * where the client is one of NuGet's own, which write blanks as `%20` and send the plus signs of `c++` as they are (spec
 * nuget-v2 18.3).
 */
export function plusSignOf(userAgent: string | undefined): ' ' | '+' {
  return /\bNuGet [^/;()]*\/\d/i.test(userAgent ?? '') ? '+' : ' ';
}

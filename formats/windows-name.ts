/** Whether Windows can hold a file of this name, for every program and in any folder. */
export function isWindowsName(name: string): boolean {
  return (
    /^[A-Za-z0-9_.()[\]{}+,;=@!#$%&'~^ -]+$/.test(name) &&
    !/[. ]$/.test(name) &&
    // `GITATT~1` is the short name of .gitattributes.
    !/~\d/.test(name) &&
    !/^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\.|$)/i.test(name)
  );
}

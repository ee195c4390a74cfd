/** One commit to be written by `git fast-import`, which makes all its objects in one process. */
export type NewCommit = {
  /** Moved to the commit: fast-import writes none without. */
  readonly ref: string;
  /** Its tree is where the files begin. An id, or the mark of an earlier commit: `:1` is the first. */
  readonly parent?: string | undefined;
  readonly secondParent?: string | undefined;
  readonly author: { readonly name: string; readonly email: string };
  /** `SECONDS ZONE`, as git stores it. */
  readonly date: string;
  readonly message: string;
  /** What differs from the parent's tree; undefined removes a file. */
  readonly files: ReadonlyMap<string, string | undefined>;
};

/** The input for `git fast-import --done --force`, which answers with the id of each commit, one a line. */
export function fastImport(commits: readonly NewCommit[]): string {
  return [...commits.map(commitOf), 'done\n'].join('');
}

function commitOf(
  { ref, parent, secondParent, author, date, message, files }: NewCommit,
  index: number,
): string {
  const mark = `:${index + 1}`;
  const who = `${author.name} <${author.email}> ${date}`;
  return [
    `commit ${ref}\nmark ${mark}\nauthor ${who}\ncommitter ${who}\n`,
    data(message),
    parent === undefined ? '' : `from ${parent}\n`,
    secondParent === undefined ? '' : `merge ${secondParent}\n`,
    ...[...files].map(([path, text]) =>
      text === undefined ? `D ${path}\n` : `M 100644 inline ${path}\n${data(text)}`,
    ),
    `\nget-mark ${mark}\n`,
  ].join('');
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

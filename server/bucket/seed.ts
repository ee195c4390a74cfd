/**
 * The start of every bucket: one root commit, with the same object id on every server. So main and beta share their root, and a
 * bucket that moves to another server stays the same bucket (contract section 5, spec scoop 1.5 and 3.3). Changing a byte here
 * makes another root: existing buckets keep theirs, new ones would differ.
 */
export const seed = {
  files: {
    // Blobs are LF; the checkout on Windows is CRLF, as Scoop's own checks require (spec scoop 1.5).
    '.gitattributes': '* text=auto eol=crlf\n',
    '.editorconfig': `root = true

[*]
charset = utf-8
end_of_line = crlf
indent_style = space
indent_size = 4
insert_final_newline = true
trim_trailing_whitespace = true

[*.{yml,yaml}]
indent_size = 2
`,
    'README.md': `# go-win-tools

A Scoop bucket of command line tools written in Go, released by go-win-tools.

    scoop bucket add go-win-tools ADDRESS
    scoop install go-win-tools/TOOL

The server that you cloned this from shows the ADDRESS on its front page: one for stable versions (branch \`main\`), one for
betas (branch \`beta\`). Always name the bucket when you install: Scoop's own buckets may have a tool of the same name.

Nobody edits this repository by hand. Each release is one commit, \`TOOL: Update to version VERSION\`; all other commits
begin with \`(chore)\`. Branches only ever move forward.
`,
    // Scoop's own test refuses empty files, so the placeholder has text.
    'bucket/.gitkeep': 'One file TOOL.json for each tool.\n',
  },
  /** What git makes of the rest. */
  commit: '073ecf1958e30b0d78938ca970c28724a099b90c',
  subject: '(chore): Begin the bucket',
  identity: { name: 'go-win-tools', email: 'go-win-tools@localhost' },
  date: '1767225600 +0000',
} as const;

import type { ErrorTable } from './table.ts';

/** Manifests, git and pushes to the bucket. */
export const bucketErrors = {
  MANIFEST_NOT_FOUND: [
    404,
    'The bucket has no manifest for {tool} {version}. Check the name and the version; a manifest is at /m/TOOL.json.',
  ],
  BUCKET_UNKNOWN: [404, 'No such bucket. Use /git/main/go-win-tools.git or /git/beta/go-win-tools.git.'],
  CLIENT_READ_ONLY: [
    403,
    'The bucket of one client cannot be pushed to. Push to /git/main/go-win-tools.git or /git/beta/go-win-tools.git.',
  ],
  CLIENT_VIEW_BROKEN: [
    503,
    'The manifest of {tool} {version}, which a rollout offers to this client, is missing. Upload it again: release:rollout start.',
  ],
  BUCKET_DAMAGED: [
    500,
    'The bucket in {dir} is damaged: {problem}. Restore the folder bucket from a backup, or from an up-to-date clone.',
  ],
  BUCKET_OBJECT_DAMAGED: [
    500,
    'The bucket in {store} is damaged: {problem}. Restore that object from an earlier version of it, or from a copy of the object store.',
  ],
  BUCKET_BROKEN: [
    503,
    'The bucket cannot be served: its branch {branch} does not point to a commit. Restore the folder bucket of the data folder from a backup.',
  ],
  BUCKET_BEHIND: [
    503,
    'The bucket of this server is behind that of the others, and could not catch up; try again in a moment. The server log has the reason.',
  ],
  BUCKET_MOVED: [
    409,
    'The bucket was changed through another server meanwhile: fetch, rebase your commits, push again.',
  ],
  GIT_ONLY: [404, 'This address is for git and Scoop: scoop bucket add go-win-tools {url}'],
  GIT_DUMB: [
    403,
    'This git client is too old: the bucket is served by the smart protocol only (git 1.6.6 and newer). Upgrade git.',
  ],
  GIT_BUSY: [503, 'Too many git requests at once; try again in a moment.'],
  GIT_MISSING: [500, 'The bucket needs git, which was not found: install git and put it in PATH.'],
  PUSH_TOO_SLOW: [413, 'The push could not be checked within {seconds} seconds; push fewer commits at once.'],
  PUSH_INVALID: [400, 'The push cannot be parsed: {problem}. Push with git itself, 1.7 or newer.'],
  PUSH_REFUSED: [403, '{faults}'],
  PUSHES_AT_ONCE: [429, 'This key already has {limit} pushes in progress; wait for one of them to finish.'],
  ENCODING_UNKNOWN: [
    415,
    'Content-Encoding {encoding} is not supported; send the body uncompressed or as gzip.',
  ],
  PUSH_TOO_LARGE: [413, '{what} has {found}; at most {limit} are accepted.'],
  PUSH_GATE_SHUT: [
    503,
    'Pushes are refused: the hook {file} that checks them cannot run. Put the data folder on a volume that is not mounted noexec, and start again.',
  ],
  GIT_FAILED: [500, 'git failed on the server. Try again; the server log has the reason.'],
} as const satisfies ErrorTable;

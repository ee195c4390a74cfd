import type { ErrorTable } from './error-table.ts';

/** Repositories of DevBoxes and images. */
export const devboxErrors = {
  DEVBOX_INVALID: [
    2,
    '{file} is not valid: {problems}.',
    'Correct it; docs/devbox/README.md has every field.',
  ],
  DEVBOX_DIR: [2, '{dir} cannot be used: {cause}.', 'Name a folder that can be created and written to.'],
  DEVBOX_UNKNOWN: [1, 'Branch main of the bucket has no {what}.', '{hint}'],
  DEVBOX_UNSUITED: [1, '{tool} {version} cannot be part of an image: {reason}.', '{hint}'],
  DEVBOX_MISSING: [
    1,
    '{dir} is not a repository of devbox:create: expected {file} in it.',
    '`devbox:create {dir}` writes one; to check another folder, name it.',
  ],
  DEVBOX_SBOM: [2, '{file} cannot be used as an SBOM: {problem}.', 'Name a CycloneDX file in JSON.'],
  DEVBOX_FEED: [
    1,
    '{feed} is not a go-win-tools server with a plain PUBLIC_URL, which a DevBox repository needs: found {found}.',
    'Set FEED_URL to the feed of such a server, for example http://127.0.0.1:8080/nuget.',
  ],
  DEVBOX_CHANGED: [
    1,
    'These files in {dir} were changed after devbox:create wrote them, so they were not updated: {files}.',
    'Compare them with what a run in an empty folder writes; `--force` replaces them, but not links.',
  ],
} as const satisfies ErrorTable;

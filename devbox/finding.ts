/** What devbox:check found that needs a person. */
export type Finding = {
  /** The tool, file or image. */
  readonly about: string;
  readonly kind:
    | 'invalid' // a file is not what its schema says
    | 'stale' // devbox.yaml was changed, and devbox:create not run since
    | 'missing' // the feed does not have it
    | 'differs' // the feed has other bytes
    | 'withdrawn'
    | 'outdated'
    | 'vulnerable'
    | 'unpinned' // an image without a digest
    | 'too large';
  readonly what: string;
  /** What to do. */
  readonly next: string;
};

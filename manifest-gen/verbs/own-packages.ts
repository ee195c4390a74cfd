import type { Finish } from '../report/unfinished.ts';

/** A package of this product: its source is here, so there is no upstream to watch and no evidence to repeat. */
export type OwnPackage = {
  readonly tool: string;
  /** Why the verbs for tools do not accept it, and what to do instead. */
  readonly what: string;
  readonly hint: string;
  /** How to see whether there is something to publish. */
  readonly how: string;
  readonly finish: Finish;
};

export const ownPackages: readonly OwnPackage[] = [
  ownPackage('go-win-shims', 'shims', 'set'),
  ownPackage('go-win-probe', 'probe', 'probe'),
];

function ownPackage(tool: string, verb: string, noun: string): OwnPackage {
  return {
    tool,
    what: `it is part of this product, and \`${verb} --publish\` makes and publishes it`,
    hint:
      `To see its versions: \`release:status\`. To compare them with this ${noun}: \`${verb} --publish main --dry-run\`. To withdraw a version: unlist it (\`nuget delete\`), ` +
      `then run \`${verb} --publish beta\` and \`main\` in a go-win-tools with the good ${noun}, which becomes the next version.`,
    how: `\`${verb} --publish beta --dry-run\` shows whether this go-win-tools has another ${noun}`,
    finish: {
      release: () => `\`${verb} --publish beta\` in the go-win-tools that made it finishes the release`,
      promotion: () => `\`${verb} --publish main\` in the go-win-tools that made it finishes the promotion`,
      withdrawal: () =>
        `\`${verb} --publish beta\`, then \`main\`, in a go-win-tools with a good ${noun} finish the withdrawal`,
    },
  };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chain, linkFor, serve, sinceAfter, type ViewKey } from '../../../server/rollout/chain.ts';

/** Clients, their views, main's tip and what each view shows: what the rows of a server say. */
type Step =
  | { readonly kind: 'pull'; readonly client: number }
  | { readonly kind: 'admit'; readonly client: number; readonly view: ViewKey }
  | { readonly kind: 'change'; readonly view: ViewKey; readonly tree: string }
  | { readonly kind: 'release' };

const views = ['', '1', '2', '1,2'];
const clients = 8;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pull' as const), client: fc.nat(clients - 1) }) },
  fc.record({
    kind: fc.constant('admit' as const),
    client: fc.nat(clients - 1),
    view: fc.constantFrom(...views),
  }),
  // few trees, so that views come to show the same again
  fc.record({
    kind: fc.constant('change' as const),
    view: fc.constantFrom('1', '2', '1,2'),
    tree: fc.constantFrom('a', 'b', 'main'),
  }),
  fc.record({ kind: fc.constant('release' as const) }),
);

describe('the chain of client commits', () => {
  it('serves each client what its view shows, on main, and never goes back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let chain: Chain = { links: [], served: new Map() };
        let releases = 0;
        const trees = new Map(views.map((view) => [view, 'main']));
        const state = Array.from({ length: clients }, () => ({ view: '', since: 0, served: -1 }));
        for (const each of steps) {
          if (each.kind === 'release') releases += 1;
          if (each.kind === 'change') trees.set(each.view, each.tree);
          const client = 'client' in each ? state[each.client] : undefined;
          if (client === undefined) continue;
          if (each.kind === 'admit') {
            client.since = sinceAfter(chain, client.since, client.view);
            client.view = each.view;
            continue;
          }
          const main = `m${releases}`;
          const tree = `${trees.get(client.view)}/${main}`;
          const wanted = { tree, main, view: client.view, since: client.since };
          const { chain: after, index } = serve(chain, wanted);
          expect(index).toBeGreaterThanOrEqual(client.served);
          expect(after.links[index]).toEqual({ tree, main });
          expect(after.links.slice(0, chain.links.length)).toEqual(chain.links);
          // asked again with nothing changed, it is the same commit
          expect(linkFor(after, wanted)).toBe(index);
          client.served = index;
          chain = after;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is as long for 10,000 clients of four views as for four', () => {
    let chain: Chain = { links: [], served: new Map() };
    const pull = (view: ViewKey, since: number): void => {
      chain = serve(chain, { tree: view, main: 'm', view, since }).chain;
    };
    for (let client = 0; client < 10_000; client += 1) {
      pull('', 0);
      const view = views[client % views.length] ?? '';
      const since = sinceAfter(chain, 0, '');
      pull(view, since);
    }
    expect(chain.links.length).toBe(views.length);
  });
});

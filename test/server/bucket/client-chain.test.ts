import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClientHead,
  headIn,
  type Link,
  linkFor,
  type ViewKey,
} from '../../../server/bucket/client-chain.ts';

/** Clients, their views, main's tip and what each view shows: what the rows of a server say. */
type Step =
  | { readonly kind: 'pull'; readonly client: number }
  | { readonly kind: 'admit'; readonly client: number; readonly view: ViewKey }
  | { readonly kind: 'change'; readonly view: ViewKey; readonly offers: string }
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
  // few contents, so that views come to show the same again
  fc.record({
    kind: fc.constant('change' as const),
    view: fc.constantFrom('1', '2', '1,2'),
    offers: fc.constantFrom('a', 'b', ''),
  }),
  fc.record({ kind: fc.constant('release' as const) }),
);

/** The rows, kept as the database keeps them. */
function makeRows() {
  const links: Link[] = [];
  const served = new Map<ViewKey, number>();
  const heads = new Map<number, ClientHead>();
  const servedTo = (view: ViewKey): number => served.get(view) ?? 0;
  return {
    links,
    find: (client: number, view: ViewKey, wanted: Pick<Link, 'main' | 'offers'>) =>
      linkFor(links.toReversed(), wanted, headIn(view, heads.get(client), servedTo), servedTo(view)),
    pull(client: number, view: ViewKey, wanted: Pick<Link, 'main' | 'offers'>): Link {
      const head = headIn(view, heads.get(client), servedTo);
      let link = this.find(client, view, wanted);
      if (link === undefined) {
        link = { number: links.length + 1, ...wanted };
        links.push(link);
      }
      served.set(view, link.number);
      heads.set(client, head);
      return link;
    },
  };
}

describe('the chain of client commits', () => {
  it('serves each client what its view shows, on main, and never goes back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const rows = makeRows();
        let releases = 0;
        const offers = new Map(views.map((view) => [view, '']));
        const state = Array.from({ length: clients }, () => ({ view: '', last: 0 }));
        for (const each of steps) {
          if (each.kind === 'release') releases += 1;
          if (each.kind === 'change') offers.set(each.view, each.offers);
          const client = 'client' in each ? state[each.client] : undefined;
          if (client === undefined) continue;
          if (each.kind === 'admit') {
            client.view = each.view;
            continue;
          }
          const id = state.indexOf(client);
          const wanted = { main: `m${releases}`, offers: offers.get(client.view) ?? '' };
          const link = rows.pull(id, client.view, wanted);
          expect(link.number).toBeGreaterThanOrEqual(client.last);
          expect(link).toEqual({ number: link.number, ...wanted });
          // asked again with nothing changed, it is the same commit
          expect(rows.find(id, client.view, wanted)).toBe(link);
          client.last = link.number;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is as long for 10,000 clients of four views as for four', () => {
    const rows = makeRows();
    for (let client = 0; client < 10_000; client += 1) {
      const view = views[client % views.length] ?? '';
      rows.pull(client, '', { main: 'm', offers: '' });
      rows.pull(client, view, { main: 'm', offers: view });
    }
    expect(rows.links.length).toBe(views.length);
  });
});

import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { anyClient } from '../../../server/http/client-path.ts';
import { createClientResponses } from '../../../server/http/client-responses.ts';
import { plainView, type View } from '../../../server/rollout/views.ts';
import { listen } from '../../kit/listen.ts';

const inRollout: View = {
  key: '1',
  grants: [{ tool: 'delve', id: 'delve', version: '1.22.0', isListed: true, rollout: 1, is: 'version' }],
};
const third = 3;

describe('responses to clients', () => {
  let stop: () => Promise<void> = async () => undefined;
  afterEach(() => stop());

  /** A route that counts how often it is asked, about packages of this id; every third client is in the rollout. */
  async function start(about?: string, isKnown = true, look: (view: View) => View = (view) => view) {
    const prepared: string[] = [];
    let revision = 1;
    const general = express();
    general.use((_req, res) => void res.status(418).end());
    const numbers = { all: () => revision, packages: () => revision };
    const answer = createClientResponses(
      {
        revisions: { known: () => numbers, read: async () => numbers },
        maxBytes: 8 * 1024 ** 2,
        readAuth: undefined,
        findKey: async () => undefined,
        watch: () => 'request',
        readPeer: () => ({ address: '192.0.2.1', isSecure: false }),
        isStopping: () => false,
        securityHeaders: [],
        addresses: { isAllowed: () => true },
        viewOf: (_req, id) => {
          const view = look(Number(id.slice(3)) % third === 0 ? inRollout : plainView);
          return isKnown ? view : Promise.resolve(view);
        },
        routesOf: (view) => [
          {
            mount: `/nuget/c/${anyClient}`,
            async prepare({ mount, rawPath }) {
              prepared.push(view.key);
              const text = `<${mount}${rawPath}> <${mount}> ${view.key}`;
              return {
                headers: [],
                etag: `"${view.key}"`,
                body: () => [text],
                about: { kind: 'document', ...(about !== undefined && { id: about }) },
              };
            },
          },
        ],
      },
      general,
      general,
    );
    const { url, stop: end } = await listen(answer);
    stop = end;
    return {
      prepared,
      change: () => {
        revision += 1;
      },
      ask: (id: string) => fetch(`${url}/nuget/c/${id}/Packages`),
      get: async (id: string) => (await fetch(`${url}/nuget/c/${id}/Packages`)).text(),
    };
  }

  it.each([true, false])(
    'are made once for each view, however many clients ask, and have the addresses of the one that asks (view known: %s)',
    async (isKnown) => {
      const { prepared, get, change } = await start(undefined, isKnown);
      for (let number = 0; number < 300; number += 1) {
        const id = `pc-${number}${'x'.repeat(number % 50)}`;
        const key = Number(id.slice(3)) % third === 0 ? '1' : '';
        expect(await get(id.toUpperCase())).toBe(`</nuget/c/${id}/Packages> </nuget/c/${id}> ${key}`);
      }
      expect(prepared.toSorted()).toEqual(['', '1']);
      change();
      await get('pc-1');

      expect(prepared).toHaveLength(3);
    },
  );

  it.each([
    ['1', 'pc-3', 'pc-1'],
    ['', 'pc-1', 'pc-3'],
  ])(
    'are made once for all views where they show no id of a rollout (first asked in view "%s")',
    async (first, ...ids) => {
      const { prepared, get } = await start('buf');

      for (const id of ids) expect(await get(id)).toBe(`</nuget/c/${id}/Packages> </nuget/c/${id}> ${first}`);
      expect(prepared).toEqual([first]);
    },
  );

  it('are made for each view where they show an id of a rollout, in any case', async () => {
    const { prepared, get } = await start('Delve');

    for (const id of ['pc-3', 'pc-1', 'pc-6', 'pc-2']) await get(id);
    expect(prepared).toEqual(['1', '']);
  });

  it('are left to Express where the view cannot be read, and the server goes on', async () => {
    let isBroken = true;
    const { ask } = await start(undefined, true, (view) => {
      if (isBroken) throw new Error('disk I/O error');
      return view;
    });

    expect((await ask('pc-1')).status).toBe(418);
    isBroken = false;
    expect((await ask('pc-1')).status).toBe(200);
  });
});

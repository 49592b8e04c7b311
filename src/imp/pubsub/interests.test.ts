import { expect, test } from 'vitest';
import { jid, text, xml } from '../../../test/support/imp-accounts.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { capabilitiesBy, InterestCache } from './interests.ts';

const ROMEO = jid('romeo@vngtp.example/orchard');

function mention(ver: string) {
  return { hash: 'sha-1', node: 'http://client.example', ver };
}

/** The answer to every question the same. */
function asked(answer: XmlElement | undefined): Promise<XmlElement | undefined> {
  const requests: string[] = [];
  const source = capabilitiesBy(
    {
      ask: (from, to, type, payload, answered) => {
        requests.push(`${from.local} ${to.local} ${type} ${text(payload)}`);
        answered(answer);
      },
    },
    jid('coluc.example').domain,
  );
  const info = source.askCaps('juliet', ROMEO, 'http://client.example#v');
  expect(requests).toEqual([
    "juliet romeo get <query xmlns='http://jabber.org/protocol/disco#info' node='http://client.example#v'/>",
  ]);
  return info;
}

test('capabilities are asked for by a request of the account, and an error is no answer', async () => {
  const query = "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='a'/></query>";
  const info = await asked(xml(`<iq type='result'>${query}</iq>`));
  expect(info === undefined ? '' : text(info)).toBe(query);
  expect(await asked(xml(`<iq type='error'>${query}</iq>`))).toBeUndefined();
  expect(await asked(xml("<iq type='result'/>"))).toBeUndefined();
  expect(await asked(undefined)).toBeUndefined();
});

test('no more than so many questions are open, and whoever is one too many is interested in nothing', async () => {
  let open = 0;
  const cache = new InterestCache({
    askCaps: () => {
      open += 1;
      return new Promise(() => {});
    },
  });
  for (let number = 0; number < 500; number++) void cache.learn('juliet', ROMEO, mention(`v${number}`));
  expect(await cache.learn('juliet', ROMEO, mention('one more'))).toEqual(new Set());
  expect(open).toBe(500);
});

test('a client is interested in no more than so many nodes', async () => {
  const features = Array.from({ length: 300 }, (_, number) => `<feature var='n${number}+notify'/>`);
  const info = xml(`<query xmlns='http://jabber.org/protocol/disco#info'>${features.join('')}</query>`);
  const cache = new InterestCache({ askCaps: () => Promise.resolve(info) });
  expect((await cache.learn('juliet', ROMEO, mention('v'))).size).toBe(128);
  expect(cache.peek(mention('v'))).toBeUndefined();
});

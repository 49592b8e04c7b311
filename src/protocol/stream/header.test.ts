import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDomain } from '../jid/domain.ts';
import { UNAUTHENTICATED_LIMITS } from '../xml/limits.ts';
import { XmlReader } from '../xml/reader.ts';
import type { XmlRoot } from '../xml/types.ts';
import { readInitialHeader, readResponseHeader, writeHeader } from './header.ts';

function rootOf(xml: string): XmlRoot {
  const reader = new XmlReader({ limits: UNAUTHENTICATED_LIMITS });
  reader.push(new TextEncoder().encode(xml));
  const event = reader.next();
  if (event?.type !== 'root') throw new Error(`not a root: ${xml}`);
  return event.root;
}

const text = fc.string({ unit: 'grapheme', maxLength: 40 });

test('what is written is read, whatever stands in it', () => {
  fc.assert(
    fc.property(
      fc.option(text, { nil: undefined }),
      fc.option(text, { nil: undefined }),
      text,
      fc.boolean(),
      (from, to, id, modern) => {
        const root = rootOf(writeHeader({ contentNamespace: 'jabber:server', from, to, id, lang: 'en', modern }));
        const read = readResponseHeader(root, 'jabber:server');
        expect('refused' in read).toBe(false);
        expect(read).toMatchObject({
          from: from === undefined ? undefined : parseDomain(from),
          to: to === undefined ? undefined : parseDomain(to),
        });
      },
    ),
  );
});

test('whatever the attributes are, reading never throws and never yields an address that is no domain', () => {
  fc.assert(
    fc.property(text, text, text, text, (from, to, version, lang) => {
      const attributes = { from, to, version };
      const root: XmlRoot = {
        name: 'stream',
        namespace: 'http://etherx.jabber.org/streams',
        contentNamespace: 'jabber:server',
        prefixes: new Map(),
        attributes: [
          ...Object.entries(attributes).map(([name, value]) => ({ name, namespace: '', value })),
          { name: 'lang', namespace: 'http://www.w3.org/XML/1998/namespace', value: lang },
        ],
      };
      for (const read of [readInitialHeader(root, 'jabber:server'), readResponseHeader(root, 'jabber:server')])
        for (const address of [read.from, read.to])
          expect(address === undefined || parseDomain(address) === address).toBe(true);
    }),
  );
});

test('V-40, X-20: attributes are looked up by their own name and namespace', () => {
  const xml =
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:x='urn:x' x:to='evil.lab' __proto__='a' constructor='b' to='coluc.com' x:version='9' version='1.0'>";
  expect(readInitialHeader(rootOf(xml), 'jabber:server')).toMatchObject({
    to: 'coluc.com',
    from: undefined,
    modern: true,
  });
});

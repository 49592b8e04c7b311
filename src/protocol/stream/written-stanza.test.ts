import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stanzaIn, textOfBytes } from '../../../test/support/xml-events.ts';
import { parseElement } from '../xml/parse.ts';
import type { ContentNamespace } from '../xml/types.ts';
import { element } from '../xml/write.ts';
import { writtenStanza } from './written-stanza.ts';

const TREE = element(
  'message',
  'jabber:server',
  { from: 'eva@coluc.com/desk', to: 'jan@vngtp.lab', id: '1', type: 'error', 'xml:lang': 'de' },
  element('body', 'jabber:server', {}, 'für dich & mich'),
  element('forwarded', 'urn:xmpp:forward:0', {}, element('message', 'jabber:client')),
);

test('is the envelope that its bytes would be', () => {
  const stanza = writtenStanza(TREE);
  const bytes = stanza.render({ contentNamespace: 'jabber:server' });
  const read = stanzaIn(textOfBytes(bytes));
  for (const key of [
    'kind',
    'from',
    'to',
    'id',
    'type',
    'lang',
    'fromDomain',
    'toDomain',
    'size',
    'wellAddressed',
  ] as const)
    expect(stanza[key]).toEqual(read[key]);
  expect(stanza.size).toBe(bytes.length);
  expect(stanza.tree()).toBe(TREE);
  expect(stanza.keep()).toBe(stanza);
});

test.each<ContentNamespace>(['jabber:server', 'jabber:component:accept', 'jabber:client'])(
  'R-41: for %s the content namespace changes, and nothing else',
  (contentNamespace) => {
    const xml = textOfBytes(writtenStanza(TREE).render({ contentNamespace }));
    expect(parseElement(xml, { defaultNamespace: contentNamespace, prefixes: new Map() })).toEqual({
      ...TREE,
      namespace: contentNamespace,
      children: [{ ...element('body', contentNamespace, {}, 'für dich & mich') }, TREE.children[1]],
    });
  },
);

test('addresses are replaced where there are any, and only the stanza’s own', () => {
  const scope = { contentNamespace: 'jabber:server', from: 'a@b', to: "c'@d" } as const;
  const xml = textOfBytes(writtenStanza(TREE).render(scope));
  expect(xml).toContain("from='a@b' to='c&apos;@d' id='1'");
  expect(textOfBytes(writtenStanza(element('iq', 'jabber:server')).render(scope))).toBe('<iq/>');
});

test('without addresses it has no domains', () => {
  const stanza = writtenStanza(element('presence', 'jabber:server'));
  expect([stanza.fromDomain, stanza.toDomain, stanza.lang]).toEqual([undefined, undefined, undefined]);
});

test('what is no stanza is a fault of ours', () => {
  fc.assert(
    fc.property(fc.constantFrom('error', 'stream', 'messages', 'IQ'), (name) => {
      expect(() => writtenStanza(element(name, 'jabber:server'))).toThrow(TypeError);
    }),
  );
});

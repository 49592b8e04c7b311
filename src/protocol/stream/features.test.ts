import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseElement } from '../xml/parse.ts';
import { element } from '../xml/write.ts';
import { readFeatures, writeFeatures } from './features.ts';

const STREAMS = 'http://etherx.jabber.org/streams';

function read(...children: readonly string[]) {
  return readFeatures(
    parseElement(`<stream:features xmlns:stream='${STREAMS}'>${children.join('')}</stream:features>`),
  );
}

test('S-30, C-32, D-16, T-02: what is offered, and nothing empty', () => {
  expect(writeFeatures({ startTls: 'no', external: false, dialback: false })).toBe('<stream:features/>');
  expect(writeFeatures({ startTls: 'required', external: false, dialback: false })).toBe(
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
  );
});

test('what is written is read', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('no', 'offered', 'required'),
      fc.boolean(),
      fc.boolean(),
      (startTls, external, dialback) => {
        const xml = writeFeatures({ startTls, external, dialback }).replace(
          '<stream:features',
          `<stream:features xmlns:stream='${STREAMS}'`,
        );
        expect(readFeatures(parseElement(xml))).toEqual({ startTls, external, dialback, unknownRequired: undefined });
      },
    ),
  );
});

const mechanisms = (...names: readonly string[]) =>
  `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${names.map((name) => `<mechanism>${name}</mechanism>`).join('')}</mechanisms>`;

describe('reading', () => {
  test('C-51: EXTERNAL among others, in white space; an empty list is none', () => {
    expect(read(mechanisms('PLAIN', ' EXTERNAL ')).external).toBe(true);
    expect(read(mechanisms('PLAIN', 'external')).external).toBe(false);
    expect(read(mechanisms()).external).toBe(false);
    expect(read("<mechanisms xmlns='urn:x'><mechanism>EXTERNAL</mechanism></mechanisms>").external).toBe(false);
    expect(
      read(
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>EXTERNAL<mechanism xmlns='urn:x'>EXTERNAL</mechanism></mechanisms>",
      ).external,
    ).toBe(false);
  });

  test('D-16: the dialback feature without errors is one', () => {
    expect(read("<dialback xmlns='urn:xmpp:features:dialback'/>").dialback).toBe(true);
  });

  test('S-49: the first unknown feature that must be negotiated', () => {
    expect(read("<a xmlns='urn:a'/>", "<b xmlns='urn:b'><required/></b>", 'text').unknownRequired).toBe('b');
    expect(read("<b xmlns='urn:b'><required xmlns='urn:c'/></b>").unknownRequired).toBeUndefined();
    expect(
      read("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>").unknownRequired,
    ).toBeUndefined();
  });

  test('whatever is inside, nothing throws', () => {
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc
          .tuple(
            fc.constantFrom('starttls', 'mechanisms', 'mechanism', 'dialback', 'required'),
            fc.constantFrom('urn:ietf:params:xml:ns:xmpp-tls', 'urn:ietf:params:xml:ns:xmpp-sasl', 'urn:x'),
            fc.array(tie('node'), { maxLength: 3 }),
          )
          .map(([name, namespace, children]) => ({ name, namespace, attributes: [], children })),
      ),
    }));
    fc.assert(
      fc.property(fc.array(tree.node as fc.Arbitrary<string>, { maxLength: 4 }), (children) => {
        expect(readFeatures(element('features', STREAMS, {}, ...children))).toHaveProperty('startTls');
      }),
    );
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { xml } from '../../../test/support/imp-accounts.ts';
import { element } from '../../protocol/xml/write.ts';
import { capsIn, DISCO_INFO, isVerified, verificationText } from './capabilities.ts';

// XEP-0115 §5.2.
const SIMPLE =
  xml(`<query xmlns='http://jabber.org/protocol/disco#info' node='http://code.google.com/p/exodus#QgayPKawpkPSDYmwT/WM94uAlu0='>
  <identity category='client' name='Exodus 0.9.1' type='pc'/>
  <feature var='http://jabber.org/protocol/caps'/>
  <feature var='http://jabber.org/protocol/disco#info'/>
  <feature var='http://jabber.org/protocol/disco#items'/>
  <feature var='http://jabber.org/protocol/muc'/>
</query>`);

// XEP-0115 §5.3.
const COMPLEX = xml(`<query xmlns='http://jabber.org/protocol/disco#info'>
  <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
  <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
  <feature var='http://jabber.org/protocol/caps'/>
  <feature var='http://jabber.org/protocol/disco#info'/>
  <feature var='http://jabber.org/protocol/disco#items'/>
  <feature var='http://jabber.org/protocol/muc'/>
  <x xmlns='jabber:x:data' type='result'>
    <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
    <field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field>
    <field var='os'><value>Mac</value></field>
    <field var='os_version'><value>10.5.1</value></field>
    <field var='software'><value>Psi</value></field>
    <field var='software_version'><value>0.11</value></field>
  </x>
</query>`);

function mention(ver: string, hash = 'sha-1') {
  return { hash, node: 'http://a.example', ver };
}

test('the hashes of the specification are verified, and no others', () => {
  expect(isVerified(mention('QgayPKawpkPSDYmwT/WM94uAlu0='), SIMPLE)).toBe(true);
  expect(isVerified(mention('q07IKJEyjvHSyhy//CH0CxmKi8w='), COMPLEX)).toBe(true);
  expect(isVerified(mention('q07IKJEyjvHSyhy//CH0CxmKi8w='), SIMPLE)).toBe(false);
  expect(isVerified(mention('QgayPKawpkPSDYmwT/WM94uAlu0=', 'md2'), SIMPLE)).toBe(false);
});

test.each([
  ['an identity twice', "<identity category='a' type='b'/><identity category='a' type='b'/>"],
  ['a feature twice', "<feature var='a'/><feature var='a'/>"],
  [
    'a form twice',
    "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>a</value></field></x>".repeat(2),
  ],
  ['a separator inside a part', "<feature var='a&lt;b'/>"],
])('an answer with %s proves nothing', (_, inside) => {
  expect(
    verificationText(xml(`<query xmlns='http://jabber.org/protocol/disco#info'>${inside}</query>`)),
  ).toBeUndefined();
});

test('a form without a purpose does not count', () => {
  const form = "<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>a</value></field></x>";
  expect(
    verificationText(xml(`<query xmlns='http://jabber.org/protocol/disco#info'><feature var='f'/>${form}</query>`)),
  ).toBe('f<');
});

function info(list: readonly string[]): ReturnType<typeof element> {
  return element('query', DISCO_INFO, {}, ...list.map((name) => element('feature', DISCO_INFO, { var: name })));
}

test('the order of an answer does not matter', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.string({ minLength: 1 }).filter((name) => !name.includes('<')),
        { maxLength: 8 },
      ),
      (names) => {
        expect(verificationText(info(names))).toBe(verificationText(info(names.toReversed())));
      },
    ),
  );
});

test.each([
  ["<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://a.example' ver='v'/>", mention('v')],
  ["<c xmlns='http://jabber.org/protocol/caps' node='http://a.example' ver='0.9' ext='x'/>", undefined],
  ["<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='' ver='v'/>", undefined],
  [`<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='${'v'.repeat(600)}'/>`, undefined],
  ['', undefined],
])('a presence mentions capabilities only in the form that can be checked: %#', (inside, expected) => {
  expect(capsIn(xml(`<presence>${inside}</presence>`))).toEqual(expected);
});

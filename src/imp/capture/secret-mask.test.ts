import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecretMask } from './secret-mask.ts';

function masked(text: string, begun = false): string {
  return Buffer.from(new SecretMask(begun).mask(Buffer.from(text))).toString();
}

describe('SecretMask', () => {
  test.each([
    ["<auth mechanism='PLAIN'>AGEAYg==</auth><a>b</a>", "<auth mechanism='PLAIN'>********</auth><a>b</a>"],
    ['<response>x</response>', '<response>*</response>'],
    ['<sasl:auth>abc</sasl:auth>t', '<sasl:auth>***</sasl:auth>t'],
    ['<auth/>abc', '<auth/>abc'],
    ['<auth a="x>y/">abc</auth>', '<auth a="x>y/">***</auth>'],
    [
      '<authenticate><initial-response>x</initial-response></authenticate>',
      '<authenticate><initial-response>*</initial-response></authenticate>',
    ],
    [
      '<query><username>a</username><password>b</password></query>',
      '<query><username>a</username><password>*</password></query>',
    ],
    ['<auth><![CDATA[abc]]></auth>', '<auth><*************></auth>'],
    ['<authority>a</authority>', '<authority>a</authority>'],
    ['<message><body>auth</body></message>', '<message><body>auth</body></message>'],
  ])('%s', (xml, shown) => {
    expect(shown).toHaveLength(xml.length);
    expect(masked(xml)).toBe(shown);
  });

  test('a stream that has begun before shows nothing until its first tag', () => {
    expect(masked('c2VjcmV0</auth><a>b</a>', true)).toBe('********</auth><a>b</a>');
  });

  test('in whatever pieces the bytes come, the same bytes are masked, and the length stays', () => {
    const part = fc.constantFrom(
      '<auth>',
      '</auth>',
      '<response',
      " a='",
      "'",
      '>',
      '/>',
      'SECRET',
      '<',
      '<b>',
      '</b>',
      '<![CDATA[',
      ']]>',
      ' ',
      'é',
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.integer({ min: 1, max: 7 })), (parts, sizes) => {
        const bytes = Buffer.from(parts.join(''));
        const whole = Buffer.from(new SecretMask(false).mask(bytes));
        const mask = new SecretMask(false);
        const pieces = [];
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          pieces.push(mask.mask(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(Buffer.concat(pieces)).toEqual(whole);
        expect(whole).toHaveLength(bytes.length);
      }),
    );
  });

  test('the secret of well-formed authentication never comes through, whatever is around and inside', () => {
    const name = fc.constantFrom('auth', 'response', 'x:auth', 'password', 'handshake');
    const inside = fc.constantFrom('', '<n/>', "<n a='>'/>", '<n>t</n>', '<![CDATA[t]]>');
    fc.assert(
      fc.property(name, inside, inside, fc.boolean(), (tag, before, behind, cdata) => {
        const secret = cdata ? '<![CDATA[SECRET]]>' : 'SECRET';
        const shown = masked(`<a b='c'>text<${tag} m="/">${before}${secret}${behind}</${tag}>more</a>`);
        expect(shown).not.toContain('SECRET');
        expect(shown).toContain('more</a>');
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../test/support/xml-events.ts';
import { parseElement, TreeBuilder } from './parse.ts';
import { element } from './write.ts';

describe('parseElement', () => {
  it('builds the tree of bytes and of text alike', () => {
    const xml = "<a b='1'>x<c xmlns='urn:c'/>y</a>";
    expect(parseElement(xml)).toEqual(element('a', '', { b: '1' }, 'x', element('c', 'urn:c'), 'y'));
    expect(parseElement(bytesOf(xml))).toEqual(parseElement(xml));
  });

  it('knows what its context declares', () => {
    const prefixes = new Map([
      ['p', 'urn:p'],
      ['é', 'urn:é'],
    ]);
    expect(parseElement('<a><p:b/><é:c/></a>', { defaultNamespace: 'urn:d', prefixes })).toEqual(
      element('a', 'urn:d', {}, element('b', 'urn:p'), element('c', 'urn:é')),
    );
  });

  it.each([
    '',
    '<a',
    '<a>',
    '<a></b>',
    '</a>',
    '<a/>x',
    '<a/><b/>',
    ' <a/>',
    'x<a/>',
    '<p:a/>',
    "<a b='' b=''/>",
    '<a>&nbsp;</a>',
    '<!-- --><a/>',
    '<![CDATA[]]>',
  ])('%j throws: it is for XML that was checked', (xml) => {
    expect(() => parseElement(xml)).toThrow(SyntaxError);
  });

  it('a builder that threw builds the next tree as if nothing had been', () => {
    const builder = new TreeBuilder({ defaultNamespace: '', prefixes: new Map() });
    expect(() => builder.build(bytesOf("<a xmlns:p='urn:p'><b xmlns='urn:b'>"))).toThrow(SyntaxError);
    expect(() => builder.build(bytesOf('<p:a/>'))).toThrow(SyntaxError);
    expect(builder.build(bytesOf('<a>x</a>'))).toEqual(element('a', '', {}, 'x'));
  });
});

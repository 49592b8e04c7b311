import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseElement } from '../../protocol/xml/parse.ts';
import { element, writeElement } from '../../protocol/xml/write.ts';
import { DATA_FORMS, type DataForm, formIn, readBoolean, readForm, valueOf, writeForm } from './data-form.ts';

function read(xml: string): DataForm | 'malformed' {
  return readForm(parseElement(xml));
}

test('a submitted form is read with its purpose, values in order, and fields without values', () => {
  const form = read(
    `<x xmlns='jabber:x:data' type='submit'>
       <field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>
       <field var='one'><value>a</value></field>
       <field var='many'><value>b</value><value/><value>c</value></field>
       <field var='none'/>
       <field type='fixed'><value>words</value></field>
     </x>`,
  );
  expect(form).toEqual({
    type: 'submit',
    about: 'urn:x',
    fields: new Map([
      ['one', ['a']],
      ['many', ['b', '', 'c']],
      ['none', []],
    ]),
  });
});

test('the one value of a field is had only where there is exactly one', () => {
  const form: DataForm = {
    type: 'submit',
    about: undefined,
    fields: new Map([
      ['one', ['a']],
      ['many', ['b', 'c']],
    ]),
  };
  expect([valueOf(form, 'one'), valueOf(form, 'many'), valueOf(form, 'other')]).toEqual(['a', undefined, undefined]);
});

test.each([
  ["<x xmlns='jabber:x:data'/>", 'no type'],
  ["<x xmlns='jabber:x:data' type='help'/>", 'a type of nobody'],
  ["<x xmlns='urn:other' type='submit'/>", 'another namespace'],
  ["<y xmlns='jabber:x:data' type='submit'/>", 'another element'],
  ["<x xmlns='jabber:x:data' type='submit'><field var='a'/><field var='a'/></x>", 'a field twice'],
  ["<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'/></x>", 'a purpose without value'],
  [
    "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>a</value><value>b</value></field></x>",
    'two purposes',
  ],
  [
    `<x xmlns='jabber:x:data' type='submit'>${Array.from({ length: 200 }, (_, i) => `<field var='f${i}'/>`).join('')}</x>`,
    'too many fields',
  ],
  [`<x xmlns='jabber:x:data' type='submit'><field var='f'>${'<value/>'.repeat(1_001)}</field></x>`, 'too many values'],
])('a form is malformed with %#: its fault is a value', (xml) => {
  expect(read(xml)).toBe('malformed');
});

test('a form is found inside its parent, or is not there', () => {
  const parent = element('query', 'urn:q', {}, writeForm('submit', 'urn:x', []));
  expect(formIn(parent)).toEqual({ type: 'submit', about: 'urn:x', fields: new Map() });
  expect(formIn(element('query', 'urn:q'))).toBeUndefined();
  expect(formIn(element('query', 'urn:q', {}, element('x', DATA_FORMS)))).toBe('malformed');
});

test('a form that is offered has labels, options and what is required', () => {
  const form = writeForm(
    'form',
    'urn:x',
    [
      {
        name: 'model',
        type: 'list-single',
        label: 'Who',
        required: true,
        values: ['open'],
        options: [{ value: 'open', label: 'All' }, { value: 'presence' }],
      },
      { name: 'ids', type: 'list-multi', open: true },
    ],
    { title: 'T', instructions: 'I' },
  );
  expect(writeElement(form)).toBe(
    "<x xmlns='jabber:x:data' type='form'><title>T</title><instructions>I</instructions>" +
      "<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>" +
      "<field var='model' type='list-single' label='Who'><required/><value>open</value>" +
      "<option label='All'><value>open</value></option><option><value>presence</value></option></field>" +
      "<field var='ids' type='list-multi'><validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'>" +
      '<open/></validate></field></x>',
  );
});

test('booleans are read in both ways that the specification has, and in no other', () => {
  expect(['1', 'true', '0', 'false', 'yes', '', undefined].map(readBoolean)).toEqual([
    true,
    true,
    false,
    false,
    undefined,
    undefined,
    undefined,
  ]);
});

test('what is written is read again, for any names and values', () => {
  const word = fc.string({ unit: 'grapheme-ascii', maxLength: 12 });
  const fields = fc.uniqueArray(
    fc.record({ name: word.filter((name) => name !== 'FORM_TYPE'), values: fc.array(word, { maxLength: 4 }) }),
    { maxLength: 10, selector: ({ name }) => name },
  );
  fc.assert(
    fc.property(fc.option(word, { nil: undefined }), fields, (about, list) => {
      const xml = writeElement(writeForm('result', about, list));
      expect(read(xml)).toEqual({
        type: 'result',
        about,
        fields: new Map(list.map(({ name, values }) => [name, values])),
      });
    }),
  );
});

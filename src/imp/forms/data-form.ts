import type { XmlElement, XmlNode } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element, textOf } from '../../protocol/xml/write.ts';
import { childrenOf } from '../elements.ts';

/** XEP-0004 §2. */
export const DATA_FORMS = 'jabber:x:data';

const VALIDATION = 'http://jabber.org/protocol/xdata-validate';

/** Fields of one submitted form, and values of one field, that are read; whoever sends more is refused. */
const MOST_FIELDS = 128;
const MOST_VALUES = 1_000;

/** XEP-0004 §3.1. */
export type FormType = 'form' | 'submit' | 'cancel' | 'result';

/** XEP-0004 §3.3, as far as fedway asks for such fields. */
export type FieldType =
  | 'boolean'
  | 'fixed'
  | 'hidden'
  | 'jid-multi'
  | 'jid-single'
  | 'list-multi'
  | 'list-single'
  | 'text-multi'
  | 'text-private'
  | 'text-single';

/** A field as it is offered or reported. */
export interface FormField {
  readonly name: string;
  readonly type?: FieldType;
  readonly label?: string;
  readonly required?: boolean;
  readonly values?: readonly string[];
  readonly options?: readonly { readonly value: string; readonly label?: string }[];
  /** Values that are not among the options are welcome (XEP-0122 §3.2). */
  readonly open?: true;
}

/** A form as it came in. */
export interface DataForm {
  readonly type: FormType;
  /** What the fields are about (XEP-0068); `undefined` when the form does not say. */
  readonly about: string | undefined;
  /** The values of every field but FORM_TYPE, as written, by the field's name. A field without values is there with an empty list. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

/** The form directly inside an element: `undefined` when there is none, `malformed` when it is none of XEP-0004 or beyond its bounds. */
export function formIn(parent: XmlElement): DataForm | 'malformed' | undefined {
  const form = childOf(parent, 'x', DATA_FORMS);
  return form === undefined ? undefined : readForm(form);
}

/** Reads an `<x xmlns='jabber:x:data'/>` (XEP-0004 §3). Never throws. */
export function readForm(form: XmlElement): DataForm | 'malformed' {
  const type = attributeOf(form, 'type');
  if (form.name !== 'x' || form.namespace !== DATA_FORMS || !isFormType(type)) return 'malformed';
  const fields = new Map<string, readonly string[]>();
  for (const field of childrenOf(form, 'field', DATA_FORMS)) {
    const name = attributeOf(field, 'var');
    // XEP-0004 §3.2: only a field of type "fixed" may lack a name, and it has nothing to say to us.
    if (name === undefined) continue;
    const values = childrenOf(field, 'value', DATA_FORMS).map(textOf);
    // XEP-0004 §3.2: names are unique within a form.
    if (fields.has(name) || fields.size >= MOST_FIELDS || values.length > MOST_VALUES) return 'malformed';
    fields.set(name, values);
  }
  const about = fields.get('FORM_TYPE');
  if (about !== undefined && about.length !== 1) return 'malformed';
  fields.delete('FORM_TYPE');
  return { type, about: about?.[0], fields };
}

/** The one value of a field; `undefined` when it is not there, has no value, or has several. */
export function valueOf(form: DataForm, name: string): string | undefined {
  const values = form.fields.get(name);
  return values?.length === 1 ? values[0] : undefined;
}

/** A boolean as XEP-0004 §3.3 has it written; `undefined` for anything else. */
export function readBoolean(text: string | undefined): boolean | undefined {
  if (text === '1' || text === 'true') return true;
  return text === '0' || text === 'false' ? false : undefined;
}

/** A form to be sent; with `about` the FORM_TYPE is its first field (XEP-0068 §3.1). */
export function writeForm(
  type: FormType,
  about: string | undefined,
  fields: readonly FormField[],
  { title, instructions }: { readonly title?: string; readonly instructions?: string } = {},
): XmlElement {
  const purpose: FormField[] = about === undefined ? [] : [{ name: 'FORM_TYPE', type: 'hidden', values: [about] }];
  return element(
    'x',
    DATA_FORMS,
    { type },
    title === undefined ? undefined : textElement('title', title),
    instructions === undefined ? undefined : textElement('instructions', instructions),
    ...[...purpose, ...fields].map(writeField),
  );
}

function writeField({ name, type, label, required, values, options, open }: FormField): XmlElement {
  return element(
    'field',
    DATA_FORMS,
    { var: name, type, label },
    required === true ? element('required', DATA_FORMS) : undefined,
    ...(values ?? []).map((value) => textElement('value', value)),
    ...(options ?? []).map((option) =>
      element('option', DATA_FORMS, { label: option.label }, textElement('value', option.value)),
    ),
    open === true ? element('validate', VALIDATION, { datatype: 'xs:string' }, element('open', VALIDATION)) : undefined,
  );
}

function textElement(name: string, text: string): XmlElement {
  const nodes: XmlNode[] = text === '' ? [] : [text];
  return element(name, DATA_FORMS, {}, ...nodes);
}

function isFormType(type: string | undefined): type is FormType {
  return type === 'form' || type === 'submit' || type === 'cancel' || type === 'result';
}

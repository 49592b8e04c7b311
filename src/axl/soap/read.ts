import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, textOf } from '../../protocol/xml/write.ts';
import type { DocumentLimits } from './document.ts';
import { readDocument } from './document.ts';
import { axlVersionOf, ENVELOPE_NAMESPACE, SOAP_1_2_NAMESPACE } from './names.ts';
import type { AxlAnswer, AxlFault, AxlRequest, AxlRow, Unusable } from './types.ts';
import { AXL_FUNCTIONS } from './types.ts';

/** Of an answer; a table of Edges has a few rows. */
export const ANSWER_LIMITS: DocumentLimits = {
  bytes: 1_048_576,
  depth: 32,
  elements: 20_000,
  attributes: 64,
  text: 262_144,
};
/** Of a request: one statement. */
const REQUEST_LIMITS: DocumentLimits = {
  bytes: 262_144,
  depth: 32,
  elements: 100,
  attributes: 64,
  text: 131_072,
};

/** `unknown`: a well-formed request for a function that is not in `AXL_FUNCTIONS`, which deserves an answer of its own. */
export type ReadRequest =
  | { readonly request: AxlRequest }
  | { readonly unknown: { readonly function: string; readonly version: string } }
  | Unusable;

/** Reads the envelope of a client. Total. */
export function readRequest(bytes: Uint8Array, limits: DocumentLimits = REQUEST_LIMITS): ReadRequest {
  const body = readBody(bytes, limits);
  if ('fault' in body) return body;
  const { name, namespace } = body.content;
  const version = axlVersionOf(namespace);
  if (version === undefined) return { fault: 'The body of the envelope is not in a namespace of AXL.' };
  const fn = AXL_FUNCTIONS.find((known) => known === name);
  if (fn === undefined) return { unknown: { function: name, version } };
  const statements = elementsIn(body.content).filter(
    (child) => child.name === 'sql' && (child.namespace === '' || child.namespace === namespace),
  );
  const [sql] = statements;
  if (statements.length > 1) return { fault: `${fn} has more than one element sql.` };
  if (sql === undefined || elementsIn(sql).length > 0)
    return { fault: `${fn} has no element sql with a statement in it.` };
  const sequence = attributeOf(body.content, 'sequence');
  return { request: { function: fn, version, sql: textOf(sql), ...(sequence === undefined ? {} : { sequence }) } };
}

/** Reads the envelope of a server. Total. */
export function readAnswer(bytes: Uint8Array, limits: DocumentLimits = ANSWER_LIMITS): AxlAnswer | Unusable {
  const body = readBody(bytes, limits);
  if ('fault' in body) return body;
  const { content } = body;
  if (content.name === 'Fault' && content.namespace === ENVELOPE_NAMESPACE) return { soapFault: faultIn(content) };
  if (axlVersionOf(content.namespace) === undefined)
    return { fault: 'The body of the envelope is not in a namespace of AXL.' };
  const result = childIn(content, 'return', content.namespace);
  if (result === undefined) return { fault: 'The answer has no element return.' };
  if (content.name === 'executeSQLQueryResponse') return rowsIn(result);
  if (content.name === 'executeSQLUpdateResponse') return updatedIn(result, content.namespace);
  return { fault: 'The answer is for another function.' };
}

/** The one element inside the body (SOAP 1.1 §4.3). */
function readBody(bytes: Uint8Array, limits: DocumentLimits): { readonly content: XmlElement } | Unusable {
  const document = readDocument(bytes, limits);
  if ('fault' in document) return document;
  const { root } = document;
  if (root.name === 'Envelope' && root.namespace === SOAP_1_2_NAMESPACE)
    return { fault: 'The envelope is of SOAP 1.2, not 1.1.' };
  if (root.name !== 'Envelope' || root.namespace !== ENVELOPE_NAMESPACE)
    return { fault: 'The document is not a SOAP 1.1 envelope.' };
  const header = childOf(root, 'Header', ENVELOPE_NAMESPACE);
  if (header !== undefined && elementsIn(header).some(mustBeUnderstood)) {
    return { fault: 'The envelope has a header that must be understood and is not.' };
  }
  const bodies = elementsIn(root).filter(({ name, namespace }) => name === 'Body' && namespace === ENVELOPE_NAMESPACE);
  const [body] = bodies;
  if (body === undefined || bodies.length > 1) return { fault: 'The envelope has not exactly one body.' };
  const inside = elementsIn(body);
  const [content] = inside;
  if (content === undefined || inside.length > 1)
    return { fault: 'The body of the envelope has not exactly one element.' };
  return { content };
}

/** SOAP 1.1 §4.2.3. */
function mustBeUnderstood(entry: XmlElement): boolean {
  return attributeOf(entry, 'mustUnderstand', ENVELOPE_NAMESPACE) === '1';
}

function rowsIn(result: XmlElement): AxlAnswer | Unusable {
  const rows: AxlRow[] = [];
  for (const row of elementsIn(result)) {
    if (row.name !== 'row') return { fault: 'The result has an element that is no row.' };
    const columns = elementsIn(row);
    if (columns.some((column) => elementsIn(column).length > 0))
      return { fault: 'A column of the result is not a text.' };
    rows.push(columns.map((column) => [column.name, textOf(column)] as const));
  }
  return { rows };
}

function updatedIn(result: XmlElement, namespace: string): AxlAnswer | Unusable {
  const updated = childIn(result, 'rowsUpdated', namespace);
  const digits = updated === undefined ? '' : textOf(updated).trim();
  return /^\d{1,15}$/.test(digits)
    ? { rowsUpdated: Number(digits) }
    : { fault: 'The answer does not say how many rows were updated.' };
}

/** Whatever of a fault is there; a fault is never unreadable. */
function faultIn(fault: XmlElement): AxlFault {
  const detail = elementsIn(fault).find(({ name }) => name === 'detail');
  const error = detail === undefined ? undefined : elementsIn(detail).find(({ name }) => /^(?:axl)?error$/i.test(name));
  const code = inside(error, 'axlcode').trim();
  return {
    axlcode: /^-?\d{1,9}$/.test(code) ? Number(code) : undefined,
    axlmessage: inside(error, 'axlmessage'),
    request: inside(error, 'request'),
    faultstring: inside(fault, 'faultstring'),
  };
}

/** AXL's schema has its child elements unqualified; what a server qualifies with the namespace of the function is the same. */
function childIn(parent: XmlElement, name: string, namespace: string): XmlElement | undefined {
  return childOf(parent, name, '') ?? childOf(parent, name, namespace);
}

function inside(parent: XmlElement | undefined, name: string): string {
  const child = parent === undefined ? undefined : elementsIn(parent).find((one) => one.name === name);
  return child === undefined ? '' : textOf(child);
}

function elementsIn(parent: XmlElement): readonly XmlElement[] {
  return parent.children.filter((child) => typeof child !== 'string');
}

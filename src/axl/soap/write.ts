import { isName } from '../../protocol/xml/utf8.ts';
import { escapeAttribute, escapeText } from '../../protocol/xml/write.ts';
import { axlNamespace, ENVELOPE_NAMESPACE } from './names.ts';
import type { AxlFault, AxlFunction, AxlRequest, AxlRow, Unusable } from './types.ts';
import { isAxlVersion } from './types.ts';

/** An envelope to send, as text; UTF-8 on the wire. */
export type Written = { readonly xml: string } | Unusable;

/** To which request an answer belongs. */
export interface AnswerTo {
  readonly version: string;
  /** The request's own. */
  readonly sequence?: string;
}

/** A request. Refused when the version is none, or when XML 1.0 cannot express the statement. */
export function writeRequest({ function: fn, version, sequence, sql }: AxlRequest): Written {
  const bad = unwritable([
    ['statement', sql],
    ['sequence', sequence ?? ''],
  ]);
  if (bad !== undefined) return { fault: bad };
  return envelope(version, `<ns:${fn}${sequenceOf(sequence)}><sql>${escapeText(sql)}</sql></ns:${fn}>`);
}

/** The answer to a query. Column names must be XML names; a value may be anything XML 1.0 can express. */
export function writeRows(to: AnswerTo, rows: readonly AxlRow[]): Written {
  let xml = '';
  for (const row of rows) {
    xml += '<row>';
    for (const [column, value] of row) {
      // A name that begins with xml is reserved (XML 1.0 §2.3).
      if (!isName(column) || /^xml/i.test(column))
        return { fault: 'The name of a column cannot be the name of an XML element.' };
      if (!isWritable(value)) return { fault: 'A value has a character that XML cannot express.' };
      xml += `<${column}>${escapeText(value)}</${column}>`;
    }
    xml += '</row>';
  }
  return answer('executeSQLQuery', to, xml);
}

/** The answer to an update: how many rows it changed. */
export function writeUpdated(to: AnswerTo, rowsUpdated: number): Written {
  if (!Number.isSafeInteger(rowsUpdated) || rowsUpdated < 0)
    return { fault: 'The number of updated rows is no number of rows.' };
  return answer('executeSQLUpdate', to, `<rowsUpdated>${rowsUpdated}</rowsUpdated>`);
}

/**
 * A SOAP fault. Always written: characters that XML cannot express become U+FFFD.
 *
 * @param blame whose fault it is (SOAP 1.1 §4.4.1)
 */
export function writeFault(fault: AxlFault, blame: 'Client' | 'Server' | 'MustUnderstand' | 'VersionMismatch'): string {
  const code = fault.axlcode === undefined ? '' : `<axlcode>${Math.trunc(fault.axlcode)}</axlcode>`;
  const error = `${code}<axlmessage>${escapeText(fault.axlmessage)}</axlmessage><request>${escapeText(fault.request)}</request>`;
  // SOAP 1.1 §4.4: children of Fault are unqualified.
  const body = `<soapenv:Fault><faultcode>soapenv:${blame}</faultcode><faultstring>${escapeText(fault.faultstring)}</faultstring><detail><axlError>${error}</axlError></detail></soapenv:Fault>`;
  return `<soapenv:Envelope xmlns:soapenv="${ENVELOPE_NAMESPACE}"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
}

function answer(fn: AxlFunction, { version, sequence }: AnswerTo, content: string): Written {
  if (!isWritable(sequence ?? '')) return { fault: 'The sequence has a character that XML cannot express.' };
  const name = `ns:${fn}Response`;
  return envelope(version, `<${name}${sequenceOf(sequence)}><return>${content}</return></${name}>`);
}

function envelope(version: string, body: string): Written {
  if (!isAxlVersion(version)) return { fault: 'The version of the AXL schema is not of the form 14.0.' };
  const declarations = `xmlns:soapenv="${ENVELOPE_NAMESPACE}" xmlns:ns="${axlNamespace(version)}"`;
  return { xml: `<soapenv:Envelope ${declarations}><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>` };
}

function sequenceOf(sequence: string | undefined): string {
  return sequence === undefined ? '' : ` sequence="${escapeAttribute(sequence)}"`;
}

function unwritable(texts: readonly (readonly [what: string, text: string])[]): string | undefined {
  const bad = texts.find(([, text]) => !isWritable(text));
  return bad === undefined ? undefined : `The ${bad[0]} has a character that XML cannot express.`;
}

/** XML 1.0 §2.2 [2]: no controls but tab, line feed and carriage return, no lone surrogates, not U+FFFE and U+FFFF. */
function isWritable(text: string): boolean {
  // oxlint-disable-next-line no-misleading-character-class
  return !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Cs}]/u.test(text);
}

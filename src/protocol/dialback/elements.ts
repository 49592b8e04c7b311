import { type Domain, parseDomain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { DialbackClaim, StreamPair, Verdict } from '../stream/actions.ts';
import { readStanzaError, writeStanzaError } from '../stream/stanza-error.ts';
import type { XmlElement } from '../xml/types.ts';
import { attributeOf, childOf, escapeAttribute, escapeText, textOf } from '../xml/write.ts';

/** Longest key that is looked at (checklist D-04). */
const LONGEST_KEY = 4096;
/** Longest stream id: XEP-0220 sets no limit; the schema of RFC 6120 neither. */
const LONGEST_ID = 1024;

/** `<db:result/>` or `<db:verify/>`, checked (XEP-0220 §2). Which of the two is known from the element's name. */
export type DialbackElement =
  /** Without a `type`: a question. For db:result, `id` is empty. */
  | { readonly is: 'request'; readonly from: Domain; readonly to: Domain; readonly id: string; readonly key: string }
  /** With a `type`: an answer. A type that does not exist counts as `error` (checklist D-13). */
  | {
      readonly is: 'answer';
      readonly from: Domain;
      readonly to: Domain;
      readonly id: string;
      readonly verdict: Verdict;
    }
  | MalformedDialback;

/** Something is missing or wrong. */
export interface MalformedDialback {
  readonly is: 'malformed';
  /** Whether it is a question, which gets an error for an answer; about an answer nothing is said. */
  readonly asked: boolean;
  readonly from: Domain | undefined;
  readonly to: Domain | undefined;
  readonly id: string;
  readonly condition: 'bad-request' | 'policy-violation';
  /** What is wrong, to go on after "a db:result in which ...". */
  readonly what: string;
}

/** Whether a first-level element belongs to dialback, whatever its prefix (checklist D-10). */
export function dialbackName(element: XmlElement): 'result' | 'verify' | undefined {
  if (element.namespace !== NS.dialback) return undefined;
  return element.name === 'result' || element.name === 'verify' ? element.name : undefined;
}

/** Reads a dialback element of either kind. */
export function readDialback(element: XmlElement): DialbackElement {
  const from = domainOf(attributeOf(element, 'from'));
  const to = domainOf(attributeOf(element, 'to'));
  const id = attributeOf(element, 'id') ?? '';
  const type = attributeOf(element, 'type');
  const malformed = (what: string, condition: MalformedDialback['condition'] = 'bad-request'): MalformedDialback => {
    return { is: 'malformed', asked: type === undefined, from, to, id, condition, what };
  };
  if (from === undefined) return malformed("'from' is missing or not a domain");
  if (to === undefined) return malformed("'to' is missing or not a domain");
  if (!isId(id)) return malformed("'id' is too long or contains white space");
  if (type !== undefined) return { is: 'answer', from, to, id, verdict: readVerdict(type, element) };
  if (element.name === 'verify' && id === '') return malformed("'id' is missing");
  const key = textOf(element);
  if (key.trim() === '') return malformed('the key is missing');
  if (key.length > LONGEST_KEY) return malformed('the key is too long', 'policy-violation');
  return { is: 'request', from, to, id, key };
}

/** XEP-0220 §2.1.1 step 1: the initiating server asserts the pair. */
export function writeResult(pair: StreamPair, key: string): string {
  return `<db:result from='${escapeAttribute(pair.sender)}' to='${escapeAttribute(pair.target)}'>${escapeText(key)}</db:result>`;
}

/** XEP-0220 §2.1.1 step 4: the receiving server's answer; from and to change places. `text` explains an error in words. */
export function writeResultAnswer(pair: StreamPair, verdict: Verdict, text?: string): string {
  return writeAnswer('result', pair.target, pair.sender, '', verdict, text);
}

/** XEP-0220 §2.1.2 step 2: the receiving server asks the authoritative server. */
export function writeVerify(claim: DialbackClaim): string {
  const addresses = `from='${escapeAttribute(claim.target)}' to='${escapeAttribute(claim.sender)}'`;
  return `<db:verify ${addresses} id='${escapeAttribute(claim.streamId)}'>${escapeText(claim.key)}</db:verify>`;
}

/** XEP-0220 §2.2.2 step 3: the authoritative server's answer to whoever asked. No key text is repeated (checklist V-38). */
export function writeVerifyAnswer(request: { from: Domain; to: Domain; id: string }, verdict: Verdict): string {
  return writeAnswer('verify', request.to, request.from, ` id='${escapeAttribute(request.id)}'`, verdict);
}

/** The error about a malformed question: only what could be read is echoed (checklist D-11). `undefined` when there is nobody to answer to. */
export function writeComplaint(name: 'result' | 'verify', read: MalformedDialback): string | undefined {
  const { from, to, id, condition } = read;
  if (from === undefined || to === undefined) return undefined;
  const echoed = name === 'verify' && isId(id) && id !== '' ? ` id='${escapeAttribute(id)}'` : '';
  return writeAnswer(name, to, from, echoed, { verdict: 'error', condition });
}

function writeAnswer(name: string, from: Domain, to: Domain, id: string, verdict: Verdict, text?: string): string {
  const open = `<db:${name} from='${escapeAttribute(from)}' to='${escapeAttribute(to)}'${id} type='${verdict.verdict}'`;
  if (verdict.verdict !== 'error') return `${open}/>`;
  return `${open}>${writeStanzaError(verdict.condition, text)}</db:${name}>`;
}

function readVerdict(type: string, element: XmlElement): Verdict {
  if (type === 'valid' || type === 'invalid') return { verdict: type };
  // A missing `<error/>` is tolerated (checklist D-15).
  const error = childOf(element, 'error', NS.server);
  return { verdict: 'error', condition: error === undefined ? 'undefined-condition' : readStanzaError(error) };
}

/** A space in an id could move a boundary inside the text that the key is made of (CVE-2016-0756). */
function isId(id: string): boolean {
  return id.length <= LONGEST_ID && !/\s/.test(id);
}

function domainOf(text: string | undefined): Domain | undefined {
  return text === undefined ? undefined : parseDomain(text);
}

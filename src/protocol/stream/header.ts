import { type Domain, parseDomain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { XmlRoot } from '../xml/types.ts';
import { escapeAttribute } from '../xml/write.ts';
import type { StreamErrorCondition } from './stream-error.ts';

/** What a stream header says, checked (RFC 6120 §4.7). */
export interface StreamHeader {
  readonly from: Domain | undefined;
  readonly to: Domain | undefined;
  readonly id: string | undefined;
  /** Whether the peer speaks XMPP 1.0 or later; without a version it is a server from before RFC 3920. */
  readonly modern: boolean;
  /** As the peer wrote it; only `answerLanguage` looks at it. */
  readonly lang: string | undefined;
}

/** A header that ends the stream: the condition, and a text for the peer and the log. */
export interface RefusedHeader {
  readonly refused: StreamErrorCondition;
  readonly text: string;
  /** What could be read of the addresses: the header that introduces the error names them (RFC 6120 §4.7.1, §4.7.2). */
  readonly from: Domain | undefined;
  readonly to: Domain | undefined;
}

/** Reads the header of a peer that opened a stream to us. Every rule of RFC 6120 §4.7 and §4.8 is enforced. */
export function readInitialHeader(root: XmlRoot, contentNamespace: string): StreamHeader | RefusedHeader {
  const wrong = wrongNamespaces(root, contentNamespace);
  if (wrong !== undefined) return wrong;
  const from = readAddress(attribute(root, 'from'));
  const to = readAddress(attribute(root, 'to'));
  if (from === 'malformed' || to === 'malformed') {
    return refusal(
      root,
      'improper-addressing',
      `The stream's '${to === 'malformed' ? 'to' : 'from'}' is not a domain.`,
    );
  }
  const version = readVersion(attribute(root, 'version'));
  if (version === 'unreadable') {
    return refusal(root, 'unsupported-version', "The stream's version is not of the form major.minor.");
  }
  return { from, to, id: undefined, modern: version === 'modern', lang: language(root) };
}

/** Reads the header that answers ours. Its addresses are hints at best, so a bad one is as good as none (RFC 6120 §4.7.1). */
export function readResponseHeader(root: XmlRoot, contentNamespace: string): StreamHeader | RefusedHeader {
  const wrong = wrongNamespaces(root, contentNamespace);
  if (wrong !== undefined) return wrong;
  const from = readAddress(attribute(root, 'from'));
  const to = readAddress(attribute(root, 'to'));
  const id = attribute(root, 'id');
  return {
    from: from === 'malformed' ? undefined : from,
    to: to === 'malformed' ? undefined : to,
    // White space in an id could move a boundary inside the text that dialback keys are made of (CVE-2016-0756).
    id: id === undefined || id === '' || /\s/.test(id) ? undefined : id,
    modern: readVersion(attribute(root, 'version')) === 'modern',
    lang: language(root),
  };
}

/** What we put into a header of ours. `from` and `to` may be empty in a header that only introduces an error (RFC 6120 §4.9.1.3). */
export interface HeaderToWrite {
  readonly contentNamespace: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Only in response headers: RFC 6120 §4.7.3. */
  readonly id?: string;
  readonly lang: string | undefined;
  readonly modern: boolean;
}

/** Our header, with the XML declaration before it (RFC 6120 §11.5) and the prefixes every peer understands (§4.8.5). */
export function writeHeader(header: HeaderToWrite): string {
  let xml = `<?xml version='1.0'?><stream:stream xmlns='${header.contentNamespace}' xmlns:stream='${NS.stream}'`;
  if (header.contentNamespace === NS.server) xml += ` xmlns:db='${NS.dialback}'`;
  if (header.from !== undefined) xml += ` from='${escapeAttribute(header.from)}'`;
  if (header.to !== undefined) xml += ` to='${escapeAttribute(header.to)}'`;
  if (header.id !== undefined) xml += ` id='${escapeAttribute(header.id)}'`;
  if (header.modern) xml += ` version='1.0'`;
  if (header.lang !== undefined) xml += ` xml:lang='${escapeAttribute(header.lang)}'`;
  return `${xml}>`;
}

function wrongNamespaces(root: XmlRoot, contentNamespace: string): RefusedHeader | undefined {
  if (root.namespace !== NS.stream) {
    return refusal(root, 'invalid-namespace', `The root element is not in the namespace ${NS.stream}.`);
  }
  if (root.name !== 'stream') return refusal(root, 'bad-format', 'The root element is not a stream.');
  // RFC 6120 §4.8.2: without a default namespace (`<stream xmlns='http://etherx...'>`) each stanza declares the content namespace itself.
  if (root.contentNamespace !== contentNamespace && root.contentNamespace !== NS.stream) {
    return refusal(root, 'invalid-namespace', `The default namespace of this stream must be ${contentNamespace}.`);
  }
  return undefined;
}

function refusal(root: XmlRoot, refused: StreamErrorCondition, text: string): RefusedHeader {
  const from = readAddress(attribute(root, 'from'));
  const to = readAddress(attribute(root, 'to'));
  return {
    refused,
    text,
    from: from === 'malformed' ? undefined : from,
    to: to === 'malformed' ? undefined : to,
  };
}

function attribute(root: XmlRoot, name: string): string | undefined {
  return root.attributes.find((each) => each.name === name && each.namespace === '')?.value;
}

function readAddress(text: string | undefined): Domain | undefined | 'malformed' {
  return text === undefined ? undefined : (parseDomain(text) ?? 'malformed');
}

/** RFC 6120 §4.7.5: two integers; absent means a server from before XMPP 1.0, and so does a major version of 0. */
function readVersion(text: string | undefined): 'modern' | 'old' | 'unreadable' {
  if (text === undefined) return 'old';
  const parts = /^(\d+)\.(\d+)$/.exec(text);
  if (parts === null) return 'unreadable';
  return Number(parts[1]) >= 1 ? 'modern' : 'old';
}

function language(root: XmlRoot): string | undefined {
  return root.attributes.find((each) => each.name === 'lang' && each.namespace === NS.xml)?.value;
}

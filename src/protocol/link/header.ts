import { NS } from '../namespaces.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import type { XmlElement, XmlRoot } from '../xml/types.ts';
import { attributeOf, childOf, escapeAttribute } from '../xml/write.ts';

/** The version of the protocol on a Link. What a peer of the same version may leave out or not know needs no new one. */
const LINK_VERSION = '1';

/** The two ends of a Link by their ids. */
export interface LinkEnds {
  readonly from: string;
  readonly to: string;
}

/** Why a stream cannot go on. */
export interface Refusal {
  readonly condition: StreamErrorCondition;
  readonly text: string;
}

/**
 * Our header. It has no `xml:lang` and no prefix but `stream`: stanzas would inherit them, and could not be relayed byte for byte (RFC 6120 §4.7.4,
 * §4.8.5). Only a response header has an id (§4.7.3).
 */
export function writeLinkHeader({ from, to }: LinkEnds, id?: string): string {
  const identity = id === undefined ? '' : ` id='${escapeAttribute(id)}'`;
  return `<?xml version='1.0'?><stream:stream xmlns='${NS.server}' xmlns:stream='${NS.stream}' from='${escapeAttribute(from)}' to='${escapeAttribute(to)}'${identity} version='1.0'>`;
}

/** What is wrong with the header of the peer, which TLS has proven to be `expected.from`; `undefined`: nothing. */
export function headerFault(root: XmlRoot, expected: LinkEnds): Refusal | undefined {
  if (root.namespace !== NS.stream || root.contentNamespace !== NS.server)
    return { condition: 'invalid-namespace', text: `The namespaces of a Link are ${NS.stream} and ${NS.server}.` };
  if (root.name !== 'stream') return { condition: 'bad-format', text: 'The root element is not a stream.' };
  if (attributeOf(root, 'from') !== expected.from)
    return { condition: 'invalid-from', text: "The stream's 'from' is not the box that the certificate is for." };
  if (attributeOf(root, 'to') !== expected.to)
    return { condition: 'host-unknown', text: "The stream's 'to' is another box." };
  return undefined;
}

/** What the accepting end offers: stream management (XEP-0198 §2), and this Link. Both are needed. */
export const LINK_FEATURES = `<stream:features><sm xmlns='${NS.streamManagement}'/><link xmlns='${NS.link}' version='${LINK_VERSION}'/></stream:features>`;

/** Why we cannot talk to a peer with these features; `undefined`: we can. */
export function featuresFault(features: XmlElement): Refusal | undefined {
  const link = childOf(features, 'link', NS.link);
  const version = link === undefined ? undefined : attributeOf(link, 'version');
  if (version === LINK_VERSION && childOf(features, 'sm', NS.streamManagement) !== undefined) return undefined;
  const theirs = version === undefined || !/^[0-9.]{1,16}$/.test(version) ? 'no version' : `version ${version}`;
  return {
    condition: 'unsupported-feature',
    text: `This end of the Link speaks version ${LINK_VERSION}, the other end ${theirs}: bring both boxes to the same release of fedway.`,
  };
}

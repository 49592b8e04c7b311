import { createHash, createHmac } from 'node:crypto';
import type { Box } from './box.ts';
import type { Issued } from './certificates.ts';
import type { Wire } from './raw-peer.ts';

export const STREAM_ERROR = 'urn:ietf:params:xml:ns:xmpp-streams';
export const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

export interface HeaderParts {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly id?: string | undefined;
  readonly version?: string | undefined;
  /** Further attributes, as they are. */
  readonly more?: string;
}

function attribute(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}='${value}'`;
}

/** A stream header, with everything a correct server puts into it unless told otherwise. */
export function header({ from, to, id, version = '1.0', more = '' }: HeaderParts): string {
  return (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
    `xmlns:db='jabber:server:dialback'${attribute('from', from)}${attribute('to', to)}${attribute('id', id)}` +
    `${version === '' ? '' : ` version='${version}'`}${more}>`
  );
}

/** The id in a response header. */
function idOf(response: string): string {
  return /<stream:stream[^>]* id='([^']*)'/.exec(response)?.[1] ?? '';
}

/** The condition of the stream error in what a peer received, `none` without one. */
export function errorIn(received: string): string {
  return /<stream:error><([a-z-]+) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/.exec(received)?.[1] ?? 'none';
}

/** As initiating server: header and features, in plaintext. The answer is the id of the stream. */
export async function openStream(wire: Wire, parts: HeaderParts): Promise<string> {
  wire.send(header(parts));
  return idOf(await wire.expect(/<\/stream:features>|<stream:features\/>/));
}

/** As initiating server: a stream, STARTTLS, and the stream inside. The answer is the id of the latter. */
export async function openSecured(wire: Wire, parts: HeaderParts, certificate?: Issued): Promise<string> {
  await openStream(wire, parts);
  wire.send(STARTTLS);
  await wire.expect(/<proceed[^>]*>/);
  await wire.startTls('client', certificate === undefined ? {} : { certificate });
  return openStream(wire, parts);
}

/** As initiating server: authenticated by EXTERNAL, ready for stanzas. */
async function openAuthenticated(wire: Wire, parts: HeaderParts, certificate: Issued): Promise<void> {
  await openSecured(wire, parts, certificate);
  wire.send(auth(parts.from ?? ''));
  await wire.expect(/<success[^>]*>/);
  await openStream(wire, parts);
}

/** A connection of a partner that has proven its domain. */
export async function authenticated(box: Box, from: string, address?: string, to = 'coluc.com'): Promise<Wire> {
  const wire = await box.connect(address);
  await openAuthenticated(wire, { from, to }, box.certificate(from));
  return wire;
}

export function auth(authzid: string): string {
  return `<auth xmlns='${SASL}' mechanism='EXTERNAL'>${Buffer.from(authzid).toString('base64')}</auth>`;
}

export const FEATURES = {
  none: '<stream:features/>',
  startTls: `<stream:features>${STARTTLS.replace('/>', '><required/></starttls>')}</stream:features>`,
  external: `<stream:features><mechanisms xmlns='${SASL}'><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>`,
  dialback: "<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>",
} as const;
const SUCCESS = `<success xmlns='${SASL}'/>`;

/** As receiving server: takes a header, answers with ours and with features. The answer is the header that came. */
export async function answerHeader(wire: Wire, parts: HeaderParts, features: string): Promise<string> {
  const received = await wire.expect(/<stream:stream[^>]*>/);
  wire.send(header({ id: 'a-stream-of-the-test', ...parts }) + features);
  return received;
}

/** As receiving server: everything up to the features inside TLS, for which `features` are sent. */
export async function acceptSecured(
  wire: Wire,
  parts: HeaderParts,
  certificate: Issued,
  features: string,
): Promise<void> {
  await answerHeader(wire, parts, FEATURES.startTls);
  await wire.expect(/<starttls[^>]*>/);
  wire.send(PROCEED);
  await wire.startTls('server', { certificate });
  await answerHeader(wire, parts, features);
}

/** As receiving server: a stream on which fedway has authenticated itself by EXTERNAL. */
export async function acceptAuthenticated(wire: Wire, parts: HeaderParts, certificate: Issued): Promise<void> {
  await acceptSecured(wire, parts, certificate, FEATURES.external);
  await wire.expect('</auth>');
  wire.send(SUCCESS);
  await answerHeader(wire, parts, FEATURES.none);
}

/** XEP-0185 §2, as an independent reading of it. */
export function dialbackKey(secret: string, receiving: string, originating: string, id: string): string {
  const hash = createHash('sha256').update(secret).digest('hex');
  return createHmac('sha256', hash).update(`${receiving} ${originating} ${id}`).digest('hex');
}

/** A `db:verify` or `db:result` as it was received. */
export interface DialbackElement {
  readonly from: string;
  readonly to: string;
  readonly id: string;
  readonly key: string;
}

/** Waits for a dialback element of fedway. */
export async function dialback(wire: Wire, name: 'verify' | 'result'): Promise<DialbackElement> {
  const xml = await wire.expect(`</db:${name}>`);
  const attribute = (which: string): string =>
    new RegExp(` ${which}='([^']*)'`).exec(xml.slice(xml.lastIndexOf('<db:')))?.[1] ?? '';
  const element = xml.slice(xml.lastIndexOf(`<db:${name}`));
  return {
    from: attribute('from'),
    to: attribute('to'),
    id: attribute('id'),
    key: /'>([^<]*)</.exec(element)?.[1] ?? '',
  };
}

/** How an authoritative server answers a db:verify. */
export type VerifyAnswer =
  | 'valid'
  | 'invalid'
  | 'error'
  | 'item-not-found'
  | 'silent'
  | 'close'
  | 'reset'
  | 'wrong-id'
  | 'wrong-pair'
  | 'swapped'
  | 'twice'
  | 'result'
  | 'host-unknown';

/** The script of an authoritative server for `domain`. */
export function authoritative(
  domain: string,
  certificate: Issued,
  answer: VerifyAnswer,
): (wire: Wire) => Promise<void> {
  return async (wire) => {
    if (answer === 'host-unknown') {
      await wire.expect(/<stream:stream[^>]*>/);
      wire.send(
        `${header({ from: domain, id: 'x' })}<stream:error><host-unknown xmlns='${STREAM_ERROR}'/></stream:error></stream:stream>`,
      );
      return;
    }
    await acceptSecured(wire, { from: domain }, certificate, FEATURES.dialback);
    const asked = await dialback(wire, 'verify');
    answerVerify(wire, asked, answer);
    await wire.expect('</stream:stream>');
    wire.send('</stream:stream>').fin();
  };
}

function stanzaError(condition: string): string {
  return `<error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
}

/** Answers one db:verify in one of the ways good and bad servers do. */
export function answerVerify(wire: Wire, asked: DialbackElement, answer: VerifyAnswer): void {
  const { from, to, id } = asked;
  const verify = (type: string, content = '', parts = { from: to, to: from, id }): string =>
    `<db:verify from='${parts.from}' to='${parts.to}' id='${parts.id}' type='${type}'>${content}</db:verify>`;
  switch (answer) {
    case 'valid':
    case 'invalid':
      wire.send(verify(answer));
      break;
    case 'error':
      wire.send(verify('error', stanzaError('internal-server-error')));
      break;
    case 'item-not-found':
      wire.send(verify('error', stanzaError('item-not-found')));
      break;
    case 'twice':
      wire.send(verify('invalid') + verify('valid'));
      break;
    case 'wrong-id':
      wire.send(verify('valid', '', { from: to, to: from, id: `${id}x` }));
      break;
    case 'wrong-pair':
      wire.send(verify('valid', '', { from: 'other.lab', to: from, id }));
      break;
    case 'swapped':
      wire.send(verify('valid', '', { from, to, id }));
      break;
    case 'result':
      wire.send(`<db:result from='${to}' to='${from}' type='valid'/>`);
      break;
    case 'close':
      wire.send('</stream:stream>').fin();
      break;
    case 'reset':
      wire.reset();
      break;
    case 'silent':
    case 'host-unknown':
      break;
  }
}

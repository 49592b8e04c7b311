import { RawSide, StreamSide } from './pair.ts';
import type { Certificate, WireOptions } from './wire.ts';
import { Server, type ServerPlan, World } from './world.ts';
import {
  auth,
  DIALBACK,
  EXTERNAL,
  features,
  type HeaderParts,
  header,
  headerAttribute,
  PROCEED,
  result,
  STARTTLS,
  SUCCESS,
} from './xml.ts';

/** In most tests `coluc.com` is ours, and `vngtp.lab` is the peer, whose every byte the test writes. */
const COLUC: Certificate = { names: ['coluc.com'] };
export const VNGTP: Certificate = { names: ['vngtp.lab'] };
export const UNTRUSTED: Certificate = { names: ['vngtp.lab'], untrusted: 'the certificate is self-signed' };

export const HEADER = header({ from: 'vngtp.lab', to: 'coluc.com' });

export interface Receiving {
  readonly world: World;
  readonly server: Server;
  readonly raw: RawSide;
  readonly side: StreamSide;
}

/** A peer has connected to us. The authoritative server of its domain is another raw peer, `authoritative`. */
export function connected(plan: Partial<ServerPlan> = {}, options?: WireOptions): Receiving {
  const world = new World();
  const server = world.server({ domains: ['coluc.com'], certificate: COLUC, ...plan });
  world.point('vngtp.lab', 'raw');
  return { world, server, ...server.connectedByRaw(options) };
}

/** And has sent its header. */
export function greeted(plan: Partial<ServerPlan> = {}, parts: HeaderParts = {}): Receiving {
  const receiving = connected(plan);
  receiving.raw.say(header({ from: 'vngtp.lab', to: 'coluc.com', ...parts }));
  return receiving;
}

/** And has TLS, and has sent the header that follows. */
export function secured(
  plan: Partial<ServerPlan> = {},
  certificate?: Certificate,
  parts: HeaderParts = {},
  before: HeaderParts = {},
): Receiving & { readonly heard: string } {
  const receiving = greeted(plan, before);
  receiving.raw.say(STARTTLS);
  receiving.raw.startTls(certificate);
  receiving.raw.hear();
  const heard = receiving.raw.say(header({ from: 'vngtp.lab', to: 'coluc.com', ...parts }));
  return { ...receiving, heard };
}

/** And has proven itself with its certificate. */
export function authenticated(plan: Partial<ServerPlan> = {}, certificate = VNGTP): Receiving {
  const receiving = secured(plan, certificate);
  receiving.raw.say(auth('vngtp.lab'));
  receiving.raw.say(HEADER);
  return receiving;
}

/** Or by dialback in plain text. */
export function dialedBack(plan: Partial<ServerPlan> = {}): Receiving {
  const receiving = greeted(plan);
  requestAndVouch(receiving, 'vngtp.lab', 'coluc.com');
  return receiving;
}

/** A db:result, and the authoritative server's `valid`; the result is what the initiating peer hears in the end. */
export function requestAndVouch({ raw, side }: Receiving, sender: string, target: string): string {
  const asked = side.claims.length;
  let heard = raw.say(result(sender, target, 'k'));
  const claim = side.claims[asked];
  if (claim !== undefined) side.handle({ type: 'verdict', claim, verdict: { verdict: 'valid' } });
  heard += raw.hear();
  return heard;
}

export interface Initiating {
  readonly world: World;
  readonly server: Server;
  readonly raw: RawSide;
  readonly side: StreamSide;
}

/** We have connected to a peer and sent our header. */
export function connecting(plan: Partial<ServerPlan> = {}): Initiating {
  const world = new World();
  const server = world.server({ domains: ['coluc.com'], certificate: COLUC, ...plan });
  world.point('vngtp.lab', 'raw');
  const { raw, client } = server.open('vngtp.lab');
  if (raw === undefined) throw new Error('no raw peer');
  raw.hear();
  return { world, server, raw, side: client };
}

/** What the peer says first: its header and its features. */
export function greeting(id: string, ...children: readonly string[]): string {
  return header({ from: 'vngtp.lab', to: 'coluc.com', id }) + features(...children);
}

/** We have TLS with the peer and have sent the header that follows. */
export function securing(plan: Partial<ServerPlan> = {}, certificate: Certificate | undefined = VNGTP): Initiating {
  const initiating = connecting(plan);
  initiating.raw.say(greeting('plain', STARTTLS));
  initiating.raw.say(PROCEED);
  initiating.raw.startTls(certificate);
  initiating.raw.hear();
  return initiating;
}

/** Our dialback request is on its way, over plain text. */
export function asking(plan: Partial<ServerPlan> = {}): Initiating {
  const initiating = connecting(plan);
  initiating.raw.say(greeting('id', DIALBACK));
  return initiating;
}

/** The peer has accepted our certificate, and the stream is open. */
export function opened(plan: Partial<ServerPlan> = {}): Initiating {
  const initiating = securing(plan);
  initiating.raw.say(greeting('secure', EXTERNAL));
  initiating.raw.say(SUCCESS);
  initiating.raw.say(greeting('authenticated'));
  return initiating;
}

export const KEY = 'd780f198ac34a6dbd795fcdaf8762eaf52ea9b03';

/** A request waits, and this raw peer is the authoritative server that is being asked. */
export function verifying(plan = {}): Receiving & { readonly authoritative: RawSide; readonly id: string } {
  const receiving = greeted(plan);
  const id = headerAttribute(receiving.raw.received, 'id') ?? '';
  receiving.raw.say(result('vngtp.lab', 'coluc.com', KEY));
  const authoritative = receiving.world.opened[0]?.raw;
  if (authoritative === undefined) throw new Error('nobody was asked');
  authoritative.hear();
  authoritative.say(greeting('authoritative', DIALBACK));
  return { ...receiving, authoritative, id };
}

/** What the authoritative server of vngtp.lab says about a key. */
export function verifyAnswer(id: string, type: string, content = ''): string {
  return `<db:verify from='vngtp.lab' to='coluc.com' id='${id}' type='${type}'>${content}</db:verify>`;
}

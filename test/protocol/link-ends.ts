import { LinkSession } from '../../src/protocol/link/session.ts';
import { type LinkSide, LinkWorld } from './link-world.ts';
import type { RawSide } from './pair.ts';

export const SM = "xmlns='urn:xmpp:sm:3'";
export const LINK = "xmlns='urn:fedway:link:1'";
export const ENABLE = `<enable ${SM} resume='true'/>`;
export const REQUEST = `<r ${SM}/>`;
export const FEATURES = `<stream:features><sm ${SM}/><link ${LINK} version='1'/></stream:features>`;

export function header(from: string, to: string): string {
  return `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='${from}' to='${to}' version='1.0'>`;
}

export function stanza(id: string, from = 'eva@coluc.com', to = 'jan@vngtp.lab'): string {
  return `<message from='${from}' to='${to}' id='${id}'/>`;
}

export interface Ends {
  readonly world: LinkWorld;
  readonly raw: RawSide;
  readonly side: LinkSide;
}

/** A Core whose every byte the test writes has connected to our Edge; TLS has proven that it is core-1. */
export function connected(session?: LinkSession): Ends {
  const world = new LinkWorld({}, session === undefined ? {} : { edge: session });
  const raw = world.dialedByRaw();
  return { world, raw, side: sideOf(world.edge) };
}

export function greeted(session?: LinkSession): Ends {
  const ends = connected(session);
  ends.raw.say(header('core-1', 'edge-1'));
  return ends;
}

export function enabled(session?: LinkSession): Ends {
  const ends = greeted(session);
  ends.raw.say(ENABLE + REQUEST);
  return ends;
}

/** Our Core has connected to an Edge whose every byte the test writes. */
export function dialing(session?: LinkSession): Ends {
  const world = new LinkWorld({}, session === undefined ? {} : { core: session });
  const raw = world.dialRaw();
  return { world, raw, side: sideOf(world.core) };
}

export function asking(session?: LinkSession): Ends {
  const ends = dialing(session);
  ends.raw.say(header('edge-1', 'core-1') + FEATURES);
  return ends;
}

export function dialed(): Ends {
  const ends = asking();
  ends.raw.say(`<enabled ${SM} id='s1' resume='true'/>`);
  return ends;
}

export function sideOf({ connections }: LinkWorld['core']): LinkSide {
  const last = connections.at(-1);
  if (last === undefined) throw new Error('no connection');
  return last.side;
}

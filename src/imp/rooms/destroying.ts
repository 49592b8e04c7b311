import { readJid } from '../../protocol/jid/prepare.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import { MUC } from './namespaces.ts';
import { occupantIdElement, userElement, viewersIn } from './presences.ts';
import type { Room } from './room.ts';
import { boundedText } from './sanitation.ts';
import { packetOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** Where to go when a room is no more, and why it is not (XEP-0045 §10.9). */
export interface Farewell {
  readonly venue: string | undefined;
  readonly password: string | undefined;
  readonly reason: string | undefined;
}

/** Reads the `<destroy/>` of an owner; `malformed`: the alternate venue is no room. */
export function readDestroy(destroy: XmlElement, longest: number): Farewell | 'malformed' {
  const jid = attributeOf(destroy, 'jid');
  const venue = jid === undefined ? undefined : readJid(jid);
  if (jid !== undefined && jid !== '' && venue === undefined) return 'malformed';
  return {
    venue: venue === undefined ? undefined : printJid(bareOf(venue)),
    password: boundedText(destroy, 'password', MUC.owner, longest),
    reason: boundedText(destroy, 'reason', MUC.owner, longest),
  };
}

/** Ends the room: each client gets one presence, from its own occupant (XEP-0045 §10.9). */
export function destroy(room: Room, turn: Turn, farewell: Farewell | undefined): void {
  const clients = viewersIn(room);
  for (const { occupant } of clients) room.occupants.drop(occupant);
  const words = element(
    'destroy',
    MUC.user,
    { jid: farewell?.venue },
    farewell?.password === undefined ? undefined : element('password', MUC.user, {}, farewell.password),
    farewell?.reason === undefined ? undefined : element('reason', MUC.user, {}, farewell.reason),
  );
  for (const { occupant, session } of clients) {
    const item = element('item', MUC.user, { affiliation: 'none', role: 'none' });
    const status = element('status', MUC.user, { code: '110' });
    turn.send(
      packetOf(
        'presence',
        room.at(occupant.nick),
        session.address,
        { type: 'unavailable' },
        userElement(item, words, status),
        occupantIdElement(occupant.id),
      ),
    );
  }
  room.ended = true;
}

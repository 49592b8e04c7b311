import type { StanzaErrorCondition } from '../../protocol/stream/stanza-error.ts';
import { element } from '../../protocol/xml/write.ts';
import type { IqAnswer } from '../messaging/ports.ts';

/** XEP-0060 §20. */
const PUBSUB_ERRORS = 'http://jabber.org/protocol/pubsub#errors';

/** The conditions of XEP-0060 §20.4 that fedway uses. */
type PubsubCondition =
  | 'closed-node'
  | 'invalid-payload'
  | 'item-required'
  | 'max-items-exceeded'
  | 'max-nodes-exceeded'
  | 'nodeid-required'
  | 'payload-required'
  | 'payload-too-big'
  | 'precondition-not-met'
  | 'presence-subscription-required';

export type Refusal = Extract<IqAnswer, { readonly error: unknown }>;

/** A stanza error with what XEP-0060 says beside it. */
export function refusal(error: StanzaErrorCondition, condition: PubsubCondition): Refusal {
  return { error, application: element(condition, PUBSUB_ERRORS) };
}

/** `feature`: the part behind `pubsub#` that would be needed (XEP-0060 §10). */
export function unsupported(feature: string): Refusal {
  return { error: 'feature-not-implemented', application: element('unsupported', PUBSUB_ERRORS, { feature }) };
}

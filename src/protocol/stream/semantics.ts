import type { Stanza } from '../xml/types.ts';

const IQ_TYPES: ReadonlySet<string> = new Set(['get', 'set', 'result', 'error']);
const PRESENCE_TYPES: ReadonlySet<string> = new Set([
  'unavailable',
  'subscribe',
  'subscribed',
  'unsubscribe',
  'unsubscribed',
  'probe',
  'error',
]);

/**
 * What is wrong with the type or the id of a stanza, so that nobody behind us can handle it; `undefined` for most. It deserves a
 * bad-request (RFC 6120 §8.2.3, RFC 6121 §4.7.1). A message of an unknown type is a normal one (RFC 6121 §5.2.2).
 */
export function semanticFault(stanza: Stanza): string | undefined {
  if (stanza.kind === 'message') return undefined;
  const { type } = stanza;
  if (stanza.kind === 'presence')
    return type === undefined || PRESENCE_TYPES.has(type) ? undefined : 'there is no presence of this type';
  if (type === undefined || !IQ_TYPES.has(type)) return 'there is no iq of this type';
  return stanza.id === undefined || stanza.id === '' ? 'an iq needs an id' : undefined;
}

import type { StreamEnd } from '../end.ts';
import { NS } from '../namespaces.ts';
import { sentenceOf } from '../sentence.ts';
import type { Stanza, XmlElement } from '../xml/types.ts';
import { element } from '../xml/write.ts';
import { OUR_LANGUAGE } from './language.ts';
import type { StanzaError } from './stanza-error.ts';
import { isTransient, type StreamErrorCondition } from './stream-error.ts';

/** Why a stanza may get no error back, or `undefined` when it may (RFC 6120 §8.3.1: no errors about errors or results). */
export function unanswerable(stanza: Pick<Stanza, 'kind' | 'type' | 'from' | 'to'>): string | undefined {
  if (stanza.type === 'error') return 'an error is never answered with an error';
  if (stanza.kind === 'iq' && stanza.type === 'result') return 'a result is never answered with an error';
  if (stanza.from === undefined || stanza.to === undefined) return 'there is nobody to answer to';
  return undefined;
}

/**
 * The stanza that tells the sender (RFC 6120 §8.3): from and to change places, kind and id stay, the payload is not repeated.
 * `by` names the box that gave up. The caller has asked `unanswerable` before.
 */
export function bounceOf(
  stanza: Pick<Stanza, 'kind' | 'from' | 'to' | 'id'>,
  error: StanzaError,
  by: string | undefined,
): XmlElement {
  const text =
    error.text === undefined ? [] : [element('text', NS.stanzaErrors, { 'xml:lang': OUR_LANGUAGE }, error.text)];
  const attributes: Record<string, string> = { type: error.type };
  if (by !== undefined) attributes['by'] = by;
  const addresses: Record<string, string> = { type: 'error' };
  if (stanza.to !== undefined) addresses['from'] = stanza.to;
  if (stanza.from !== undefined) addresses['to'] = stanza.from;
  if (stanza.id !== undefined) addresses['id'] = stanza.id;
  return element(
    stanza.kind,
    NS.server,
    addresses,
    element('error', NS.server, attributes, element(error.condition, NS.stanzaErrors), ...text),
  );
}

/** The stanza error for what ended an attempt to reach a partner (RFC 6120 §8.3.3, §10.4.3; rows of the checklist). */
export function errorFor(end: StreamEnd): StanzaError {
  const text = sentenceOf(end);
  switch (end.by) {
    case 'network':
      // the domain leads nowhere; R-34: it leads somewhere, and nobody answers.
      return end.stage === 'dns' || end.stage === 'tcp' || end.stage === 'tls'
        ? { condition: 'remote-server-timeout', type: 'wait', text }
        : { condition: 'remote-server-not-found', type: 'cancel', text };
    case 'dialback':
      return dialbackError(end.failure, text);
    case 'us':
    case 'them':
      return endedError(end.condition, text);
    case 'policy':
    case 'authentication':
      return { condition: 'remote-server-timeout', type: 'cancel', text };
    case 'timeout':
    case 'link':
    case 'close':
    case 'disconnect':
      return { condition: 'remote-server-timeout', type: 'wait', text };
  }
}

function dialbackError(failure: Extract<StreamEnd, { by: 'dialback' }>['failure'], text: string): StanzaError {
  switch (failure.answer) {
    case 'invalid':
      // R-37, XEP-0220 §2.1.1.
      return { condition: 'internal-server-error', type: 'cancel', text };
    case 'none':
      return { condition: 'remote-server-timeout', type: 'wait', text };
    case 'error': {
      const permanent = ['item-not-found', 'forbidden', 'not-authorized', 'policy-violation'].includes(
        failure.condition ?? '',
      );
      return { condition: 'remote-server-timeout', type: permanent ? 'cancel' : 'wait', text };
    }
  }
}

/** what trying again can cure is worth waiting for. R-39: every server of the domain says that it is not there. */
function endedError(condition: StreamErrorCondition, text: string): StanzaError {
  if (condition === 'host-unknown' || condition === 'host-gone')
    return { condition: 'remote-server-not-found', type: 'cancel', text };
  return { condition: 'remote-server-timeout', type: isTransient(condition) ? 'wait' : 'cancel', text };
}

import type { Domain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { XmlElement } from '../xml/types.ts';
import { childOf, textOf } from '../xml/write.ts';
import { encodeBase64 } from './base64.ts';

/** What an answer of the receiving server means to the one that authenticates. */
export type ExternalAnswer =
  | { readonly answer: 'success' }
  /** It asks for more; `xml` is what there is to say. */
  | { readonly answer: 'challenge'; readonly xml: string }
  /** It asks again: it does not know EXTERNAL. `xml` ends the exchange. */
  | { readonly answer: 'challenged-again'; readonly xml: string }
  | { readonly answer: 'failure'; readonly condition: string; readonly text: string | undefined }
  | { readonly answer: 'unknown' };

/** SASL EXTERNAL at the initiating server (RFC 6120 §6.4, XEP-0178 §3). */
export class ExternalInitiating {
  private challenged = false;

  /** XEP-0178 §3: with our domain as authorization identity; COMPAT(Prosody): without an initial response it answers malformed-request. */
  begin(local: Domain): string {
    return `<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>${encodeBase64(local)}</auth>`;
  }

  /** Reads an element of the SASL namespace that came after `begin`. */
  handle(element: XmlElement): ExternalAnswer {
    switch (element.name) {
      case 'success':
        return { answer: 'success' };
      case 'challenge':
        return this.challenge();
      case 'failure':
        return { answer: 'failure', ...readFailure(element) };
      default:
        return { answer: 'unknown' };
    }
  }

  /** EXTERNAL has nothing to say to a challenge but an empty response, once (checklist C-55). */
  private challenge(): ExternalAnswer {
    if (this.challenged) return { answer: 'challenged-again', xml: `<abort xmlns='${NS.sasl}'/>` };
    this.challenged = true;
    return { answer: 'challenge', xml: `<response xmlns='${NS.sasl}'/>` };
  }
}

/** RFC 6120 §6.5: a failure without a condition is as good as not-authorized. */
function readFailure(failure: XmlElement): { condition: string; text: string | undefined } {
  const condition = failure.children.find((each) => typeof each !== 'string' && each.name !== 'text');
  const text = childOf(failure, 'text', NS.sasl);
  return {
    condition: condition === undefined || typeof condition === 'string' ? 'not-authorized' : condition.name,
    text: text === undefined ? undefined : textOf(text),
  };
}

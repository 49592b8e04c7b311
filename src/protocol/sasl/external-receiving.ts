import { type Domain, parseDomain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { XmlElement } from '../xml/types.ts';
import { attributeOf, textOf } from '../xml/write.ts';
import { decodeBase64 } from './base64.ts';

/** SASL failure conditions that we send (RFC 6120 §6.5). */
export type SaslCondition =
  | 'aborted'
  | 'encryption-required'
  | 'incorrect-encoding'
  | 'invalid-authzid'
  | 'invalid-mechanism'
  | 'malformed-request'
  | 'not-authorized'
  | 'temporary-auth-failure';

/** What to do after an element of the SASL namespace. */
export type SaslStep =
  | { readonly step: 'success'; readonly domain: Domain }
  | { readonly step: 'challenge' }
  | { readonly step: 'failure'; readonly condition: SaslCondition; readonly why: string };

/** The facts an exchange is judged by. */
export interface ExternalFacts {
  readonly secure: boolean;
  /** Whether EXTERNAL was in the features that were sent last. */
  readonly offered: boolean;
  /** The `from` of the current stream header. */
  readonly from: Domain | undefined;
  /** Whether the peer's certificate proves a domain. */
  proves(domain: Domain): boolean;
}

/**
 * SASL EXTERNAL at the receiving server (RFC 6120 §6.4, XEP-0178 §3): one short machine with the states `idle` and `challenged`.
 * EXTERNAL without an initial response gets an empty challenge; an empty response or `=` means "the domain of the stream's from".
 */
export class ExternalReceiving {
  private challenged = false;

  /** Handles an element of the SASL namespace. */
  handle(element: XmlElement, facts: ExternalFacts): SaslStep {
    switch (element.name) {
      case 'auth':
        return this.auth(element, facts);
      case 'response': {
        if (!this.challenged) return failure('malformed-request', 'a response without an exchange');
        this.challenged = false;
        return judge(textOf(element), facts);
      }
      case 'abort':
        this.challenged = false;
        return failure('aborted', 'the peer aborted the exchange');
      default:
        return failure('malformed-request', 'an element that SASL does not know');
    }
  }

  /** A new `<auth/>` discards a running exchange (checklist C-44). */
  private auth(element: XmlElement, facts: ExternalFacts): SaslStep {
    this.challenged = false;
    if (!facts.secure) return failure('encryption-required', 'SASL before TLS');
    if (attributeOf(element, 'mechanism') !== 'EXTERNAL')
      return failure('invalid-mechanism', 'a mechanism other than EXTERNAL');
    if (!facts.offered)
      return failure('not-authorized', 'EXTERNAL was not offered: the certificate does not prove the domain');
    const response = textOf(element);
    if (response === '') {
      this.challenged = true;
      return { step: 'challenge' };
    }
    return judge(response, facts);
  }
}

/** `<success/>`, `<challenge/>` or `<failure/>` for a step. */
export function writeSaslStep(step: SaslStep): string {
  switch (step.step) {
    case 'success':
      return `<success xmlns='${NS.sasl}'/>`;
    case 'challenge':
      return `<challenge xmlns='${NS.sasl}'/>`;
    case 'failure':
      return `<failure xmlns='${NS.sasl}'><${step.condition}/></failure>`;
  }
}

/** RFC 6120 §6.3.8 and checklist C-36, C-37: an authorization identity is the stream's own domain, or nothing. */
function judge(response: string, facts: ExternalFacts): SaslStep {
  // RFC 6120 §6.4.2: `=` stands for nothing in an initial response; some write it in a later one.
  const authzid = decodeBase64(response === '=' ? '' : response);
  if (authzid === undefined) return failure('incorrect-encoding', 'the authorization identity is not base64 of UTF-8');
  const domain = authzid === '' ? facts.from : parseDomain(authzid);
  if (domain === undefined) {
    return failure(
      'invalid-authzid',
      authzid === '' ? 'no authorization identity and no from' : 'the authorization identity is not a domain',
    );
  }
  if (facts.from !== undefined && domain !== facts.from) {
    return failure('invalid-authzid', "the authorization identity is not the stream's from");
  }
  if (!facts.proves(domain)) return failure('not-authorized', 'the certificate does not prove the domain');
  return { step: 'success', domain };
}

function failure(condition: SaslCondition, why: string): SaslStep {
  return { step: 'failure', condition, why };
}

import { NS } from '../namespaces.ts';

/** What a client is offered before it is authenticated. */
export interface AuthenticationOffer {
  /** In the order of our preference. */
  readonly mechanisms: readonly string[];
  readonly channelBindings: readonly string[];
}

/** STARTTLS alone, and required: nothing else is possible without (RFC 6120 §5.3.1). */
export const TLS_REQUIRED = `<stream:features><starttls xmlns='${NS.tls}'><required/></starttls></stream:features>`;

/** Features of a secured stream whose client is not authenticated yet (RFC 6120 §6.3.3, XEP-0440 §3). */
export function writeAuthenticationFeatures({ mechanisms, channelBindings }: AuthenticationOffer): string {
  const list = mechanisms.map((mechanism) => `<mechanism>${mechanism}</mechanism>`).join('');
  const types = channelBindings.map((type) => `<channel-binding type='${type}'/>`).join('');
  const bindings =
    types === '' ? '' : `<sasl-channel-binding xmlns='${NS.channelBinding}'>${types}</sasl-channel-binding>`;
  return `<stream:features><mechanisms xmlns='${NS.sasl}'>${list}</mechanisms>${bindings}</stream:features>`;
}

/**
 * Features of an authenticated client: binding (RFC 6120 §7), the session request of RFC 3921, which has no effect and need not be made, stream management
 * (XEP-0198 §2), and what the roster can do (RFC 6121 §2.6.1, §3.4.1).
 */
export const SESSION_FEATURES = `<stream:features><bind xmlns='${NS.bind}'><required/></bind><session xmlns='${NS.session}'><optional/></session><sm xmlns='${NS.streamManagement}'/><ver xmlns='urn:xmpp:features:rosterver'/><sub xmlns='urn:xmpp:features:pre-approval'/></stream:features>`;

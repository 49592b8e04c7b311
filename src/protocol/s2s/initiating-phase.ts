/** Where the negotiation of a stream of ours is: what comes next from the peer. */
export type Phase = 'header' | 'features' | 'starttls' | 'sasl' | 'dialback' | 'verify' | 'open';

/** Phases in which it is settled whether the stream is encrypted, and who the peer is. */
export const PAST_TLS: ReadonlySet<Phase> = new Set(['sasl', 'dialback', 'verify', 'open']);

/** What is waited for in a phase. */
export const AWAITED: Partial<Record<Phase, string>> = {
  features: 'the stream features of the peer',
  starttls: "the peer's answer to STARTTLS",
  sasl: "the peer's answer to SASL EXTERNAL",
};

export const NO_DIRECT_TLS = 'the endpoint is one of direct TLS, and TLS is switched off for the domain';

import type { SaslCondition } from './external-receiving.ts';
import type { ScramHash, ScramKeys } from './scram-keys.ts';
import {
  type ClientFirst,
  readClientFinal,
  readClientFirst,
  writeServerFinal,
  writeServerFirst,
} from './scram-messages.ts';

/** The cryptography of SCRAM at the server, as it is handed in. No key is derived here from a password. */
export interface ScramCrypto {
  hmac(hash: ScramHash, key: Uint8Array, data: Uint8Array): Uint8Array;
  digest(hash: ScramHash, data: Uint8Array): Uint8Array;
  /** In a time that does not depend on where they differ. */
  equal(one: Uint8Array, other: Uint8Array): boolean;
}

/** The channel binding types that are offered (RFC 9266, RFC 5929 §4). tls-unique is not: TLS 1.3 has none. */
export const CHANNEL_BINDINGS = ['tls-exporter', 'tls-server-end-point'] as const;
export type ChannelBindingType = (typeof CHANNEL_BINDINGS)[number];

/** The channel binding data of a connection, by type; of a type that the connection does not have there is none. */
export type ChannelBindings = Readonly<Partial<Record<ChannelBindingType, Uint8Array>>>;

/** What an exchange is judged by. */
export interface ScramFacts {
  readonly hash: ScramHash;
  /** The mechanism is one of the -PLUS variants. */
  readonly plus: boolean;
  /** Channel bindings of the connection. Where there are any, the -PLUS variants were offered. */
  readonly bindings: ChannelBindings;
  readonly crypto: ScramCrypto;
  /** Our part of the nonce: unpredictable, printable, without comma. */
  readonly nonce: string;
  /** The user a name stands for; `undefined`: no name of a user. */
  prepare(username: string): string | undefined;
  /** Whether an authorization identity is that of the user. */
  isOwn(authzid: string, username: string): boolean;
  /** The keys of a user, or of one who does not exist: then keys that nothing can satisfy, always the same for the same name. */
  keysOf(username: string): { readonly keys: ScramKeys; readonly exists: boolean };
}

export type ScramStep =
  | { readonly step: 'challenge'; readonly message: string; readonly username: string }
  | { readonly step: 'success'; readonly message: string; readonly username: string }
  | {
      readonly step: 'failure';
      readonly condition: SaslCondition;
      readonly why: string;
      /** Who it was said to be, as far as that was a name. */
      readonly username: string | undefined;
      /** `guess`: a password was wrong. `binding`: it was not looked at, since the channel binding does not fit. */
      readonly kind: 'guess' | 'binding' | 'fault';
    };

/** One exchange of SCRAM at the server (RFC 5802, RFC 7677). */
export class ScramReceiving {
  private readonly facts: ScramFacts;
  private begun: { readonly first: ClientFirst; readonly username: string; readonly serverFirst: string } | undefined;

  constructor(facts: ScramFacts) {
    this.facts = facts;
  }

  /** The client-first-message. */
  first(message: string): ScramStep {
    const { facts } = this;
    const first = readClientFirst(message);
    if (first === undefined) return refusal('malformed-request', 'the first message is not one of SCRAM');
    const username = facts.prepare(first.username);
    if (username === undefined) return refusal('not-authorized', 'the name is not that of a user', undefined, 'guess');
    const wrong = this.wrongBinding(first);
    if (wrong !== undefined) return { ...wrong, username };
    if (first.authzid !== '' && !facts.isOwn(first.authzid, username))
      return refusal('invalid-authzid', 'the authorization identity is somebody else', username);
    const serverFirst = writeServerFirst(first.nonce + facts.nonce, facts.keysOf(username).keys);
    this.begun = { first, username, serverFirst };
    return { step: 'challenge', message: serverFirst, username };
  }

  /** The client-final-message; without a first one before it, nothing is right. */
  final(message: string): ScramStep {
    const { begun } = this;
    this.begun = undefined;
    if (begun === undefined) return refusal('malformed-request', 'a response without an exchange');
    const { first, username, serverFirst } = begun;
    const final = readClientFinal(message);
    if (final === undefined) return refusal('malformed-request', 'the final message is not one of SCRAM', username);
    const { crypto, hash } = this.facts;
    if (final.nonce !== first.nonce + this.facts.nonce)
      return refusal('not-authorized', 'the nonce is not the one of this exchange', username);
    if (!crypto.equal(final.binding, this.expectedBinding(first)))
      return refusal(
        'not-authorized',
        'the channel binding is that of another connection: somebody may be in between',
        username,
        'binding',
      );
    const { keys, exists } = this.facts.keysOf(username);
    const authMessage = utf8(`${first.bare},${serverFirst},${final.withoutProof}`);
    const signature = crypto.hmac(hash, keys.storedKey, authMessage);
    const isProven =
      final.proof.length === signature.length &&
      crypto.equal(crypto.digest(hash, xor(final.proof, signature)), keys.storedKey);
    if (!isProven || !exists)
      return refusal(
        'not-authorized',
        exists ? 'the password is wrong' : 'there is no such active user',
        username,
        'guess',
      );
    return { step: 'success', message: writeServerFinal(crypto.hmac(hash, keys.serverKey, authMessage)), username };
  }

  /** RFC 5802 §6. */
  private wrongBinding({ flag }: ClientFirst): Extract<ScramStep, { step: 'failure' }> | undefined {
    const { plus, bindings } = this.facts;
    if (plus !== (typeof flag === 'object'))
      return refusal('malformed-request', 'the mechanism and what is said of channel binding contradict each other');
    if (typeof flag === 'object')
      return bindingOf(bindings, flag.type) === undefined
        ? refusal('not-authorized', 'this type of channel binding was not offered', undefined, 'binding')
        : undefined;
    // The client would have bound the channel, had it seen that we can: somebody took that out of our features.
    if (flag === 'y' && Object.keys(bindings).length > 0)
      return refusal(
        'not-authorized',
        'the client did not see that channel binding is offered: somebody may be in between, or the client is wrong about it, as slixmpp before 1.8.5 is',
        undefined,
        'binding',
      );
    return undefined;
  }

  private expectedBinding({ flag, gs2Header }: ClientFirst): Uint8Array {
    const header = utf8(gs2Header);
    const data = typeof flag === 'object' ? bindingOf(this.facts.bindings, flag.type) : undefined;
    if (data === undefined) return header;
    const expected = new Uint8Array(header.length + data.length);
    expected.set(header);
    expected.set(data, header.length);
    return expected;
  }
}

function bindingOf(bindings: ChannelBindings, type: string): Uint8Array | undefined {
  const known = CHANNEL_BINDINGS.find((each) => each === type);
  return known === undefined ? undefined : bindings[known];
}

function refusal(
  condition: SaslCondition,
  why: string,
  username?: string,
  kind: 'guess' | 'binding' | 'fault' = 'fault',
): Extract<ScramStep, { step: 'failure' }> {
  return { step: 'failure', condition, why, username, kind };
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, index) => byte ^ (other[index] ?? 0));
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

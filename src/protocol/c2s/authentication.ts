import { parseJid } from '../jid/jid.ts';
import { prepareLocal } from '../jid/prepare.ts';
import { NS } from '../namespaces.ts';
import type { Note } from '../notes.ts';
import { decodeBase64, encodeBase64 } from '../sasl/base64.ts';
import type { SaslCondition } from '../sasl/external-receiving.ts';
import { preparePassword } from '../sasl/password.ts';
import { readPlain } from '../sasl/plain-receiving.ts';
import type { ScramHash } from '../sasl/scram-keys.ts';
import { CHANNEL_BINDINGS, type ChannelBindings, ScramReceiving, type ScramStep } from '../sasl/scram-receiving.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import type { XmlElement } from '../xml/types.ts';
import { attributeOf, textOf } from '../xml/write.ts';
import type { AuthenticationContext } from './context.ts';
import type { AuthenticationOffer } from './features.ts';

/** Failures before the stream ends (RFC 6120 §6.4.5; checklist C-47); those of channel binding alone are not among them. */
const ATTEMPTS = 3;
/** Exchanges that may be begun; each costs us a look at the accounts. */
const EXCHANGES = 10;

interface Mechanism {
  readonly name: string;
  /** `undefined`: PLAIN. */
  readonly hash: ScramHash | undefined;
  readonly plus: boolean;
}

/** In the order of our preference. */
const MECHANISMS: readonly Mechanism[] = [
  { name: 'SCRAM-SHA-256-PLUS', hash: 'sha-256', plus: true },
  { name: 'SCRAM-SHA-1-PLUS', hash: 'sha-1', plus: true },
  { name: 'SCRAM-SHA-256', hash: 'sha-256', plus: false },
  { name: 'SCRAM-SHA-1', hash: 'sha-1', plus: false },
  { name: 'PLAIN', hash: undefined, plus: false },
];

type State =
  | { readonly is: 'idle' }
  /** `exchange` is `undefined` for PLAIN without an initial response. */
  | {
      readonly is: 'challenged';
      readonly mechanism: Mechanism;
      readonly exchange: ScramReceiving | undefined;
      readonly begun: boolean;
    }
  | { readonly is: 'checking'; readonly attempt: number; readonly mechanism: Mechanism; readonly username: string }
  | { readonly is: 'penalty'; readonly condition: SaslCondition }
  | { readonly is: 'done' };

/** What a stream does for the authentication on it. */
export interface AuthenticationSurroundings {
  /** `undefined`: the stream is not encrypted. */
  bindings(): ChannelBindings | undefined;
  /** Writes an element; the log sees `shown`. */
  send(xml: string, shown: string): void;
  note(note: Note): void;
  checkPassword(attempt: number, username: string, password: string): void;
  wait(milliseconds: number): void;
  /** The client has proven to be this user. */
  succeeded(username: string, mechanism: string): void;
  fail(condition: StreamErrorCondition, text: string): void;
}

/** SASL on the stream of a client (RFC 6120 §6): SCRAM with and without channel binding, and PLAIN. */
export class ClientAuthentication {
  private readonly context: AuthenticationContext;
  private readonly around: AuthenticationSurroundings;
  private state: State = { is: 'idle' };
  private failures = 0;
  private exchanges = 0;
  private checks = 0;

  constructor(context: AuthenticationContext, around: AuthenticationSurroundings) {
    this.context = context;
    this.around = around;
  }

  /** What to offer on a connection with these channel bindings. */
  offer(bindings: ChannelBindings): AuthenticationOffer {
    const types = CHANNEL_BINDINGS.filter((type) => bindings[type] !== undefined);
    const mechanisms = MECHANISMS.filter(({ plus }) => !plus || types.length > 0).map(({ name }) => name);
    return { mechanisms, channelBindings: types };
  }

  /** An element of the SASL namespace. */
  handle(element: XmlElement): void {
    const { state } = this;
    if (state.is === 'checking' || state.is === 'penalty') {
      // A client has to wait for our answer; one that does not would have any number of attempts judged at once.
      this.around.fail('policy-violation', 'The answer to the last message has to be waited for.');
    } else if (element.name === 'auth') this.auth(element);
    else if (element.name === 'response' && state.is === 'challenged') this.response(state, element);
    else if (element.name === 'abort' && state.is === 'challenged')
      this.failed('aborted', 'the client gave the exchange up', state.mechanism.name, undefined);
    else this.failed('malformed-request', 'an element that is not due', undefined, undefined);
  }

  /** The answer to a question about a password; one that nobody waits for any more means nothing. */
  passwordChecked(attempt: number, correct: boolean): void {
    const { state } = this;
    if (state.is !== 'checking' || state.attempt !== attempt) return;
    if (correct) this.succeeded(state.username, state.mechanism, undefined);
    else this.failed('not-authorized', 'name or password is wrong', state.mechanism.name, state.username, 'guess');
  }

  /** The time that a failure is kept from the client is over. */
  waited(): void {
    if (this.state.is === 'penalty') this.answerFailure(this.state.condition);
  }

  /** A new `<auth/>` discards a running exchange (checklist C-44). */
  private auth(element: XmlElement): void {
    this.exchanges += 1;
    if (this.exchanges > EXCHANGES) {
      this.around.fail('policy-violation', 'Too many attempts to authenticate.');
      return;
    }
    const bindings = this.around.bindings();
    const name = attributeOf(element, 'mechanism');
    const mechanism = MECHANISMS.find((each) => each.name === name);
    if (bindings === undefined) this.failed('encryption-required', 'SASL before TLS', mechanism?.name, undefined);
    else if (mechanism === undefined || !this.offer(bindings).mechanisms.includes(mechanism.name))
      this.failed('invalid-mechanism', 'a mechanism that is not offered', mechanism?.name, undefined);
    else this.begin(mechanism, bindings, textOf(element));
  }

  private begin(mechanism: Mechanism, bindings: ChannelBindings, initial: string): void {
    const exchange = mechanism.hash === undefined ? undefined : this.scram(mechanism.hash, mechanism.plus, bindings);
    const state = { is: 'challenged', mechanism, exchange, begun: false } as const;
    if (initial === '') {
      // RFC 6120 §6.4.2: without an initial response the client is asked for its first message.
      this.state = state;
      this.challenge('');
    } else this.message(state, initial === '=' ? '' : initial);
  }

  private response(state: Extract<State, { is: 'challenged' }>, element: XmlElement): void {
    this.message(state, textOf(element));
  }

  private message(state: Extract<State, { is: 'challenged' }>, base64: string): void {
    const { mechanism, exchange } = state;
    const message = decodeBase64(base64);
    if (message === undefined)
      this.failed('incorrect-encoding', 'a message is not base64 of UTF-8', mechanism.name, undefined);
    else if (exchange === undefined) this.plain(mechanism, message);
    else if (state.begun) this.scramStep(state, exchange.final(message));
    else this.scramStep(state, exchange.first(message));
  }

  private scramStep(state: Extract<State, { is: 'challenged' }>, step: ScramStep): void {
    const { mechanism } = state;
    if (step.step === 'failure') this.failed(step.condition, step.why, mechanism.name, step.username, step.kind);
    else if (!this.isAdmitted(step.username)) return;
    else if (step.step === 'success') this.succeeded(step.username, mechanism, step.message);
    else {
      this.state = { ...state, begun: true };
      this.challenge(step.message);
    }
  }

  private plain(mechanism: Mechanism, text: string): void {
    const message = readPlain(text);
    const username = message === undefined ? undefined : prepareLocal(message.username);
    const password = message === undefined ? undefined : preparePassword(message.password);
    if (message === undefined) this.failed('malformed-request', 'not a message of PLAIN', mechanism.name, undefined);
    else if (username === undefined || password === undefined)
      this.failed('not-authorized', 'the name or the password cannot be valid', mechanism.name, username, 'guess');
    else if (message.authzid !== '' && !this.isOwn(message.authzid, username))
      this.failed('invalid-authzid', 'the authorization identity is somebody else', mechanism.name, username);
    else if (this.isAdmitted(username)) {
      this.checks += 1;
      this.state = { is: 'checking', attempt: this.checks, mechanism, username };
      this.around.checkPassword(this.checks, username, password);
    }
  }

  private scram(hash: ScramHash, plus: boolean, bindings: ChannelBindings): ScramReceiving {
    const { context } = this;
    return new ScramReceiving({
      hash,
      plus,
      bindings,
      crypto: context.crypto,
      nonce: context.newNonce(),
      prepare: prepareLocal,
      isOwn: (authzid, username) => this.isOwn(authzid, username),
      keysOf: (username) => context.keysOf(username, hash),
    });
  }

  /** RFC 6120 §6.3.8: an authorization identity is a bare address. */
  private isOwn(authzid: string, username: string): boolean {
    const jid = parseJid(authzid);
    if (jid?.local === undefined) return prepareLocal(authzid) === username;
    return prepareLocal(jid.local) === username && jid.domain === this.context.domain && jid.resource === undefined;
  }

  private isAdmitted(username: string): boolean {
    if (this.context.brake.admits(username)) return true;
    this.around.fail('policy-violation', 'Too many failed attempts to authenticate. Try again later.');
    return false;
  }

  private challenge(message: string): void {
    const open = `<challenge xmlns='${NS.sasl}'`;
    const xml = message === '' ? `${open}/>` : `${open}>${encodeBase64(message)}</challenge>`;
    this.around.send(xml, message === '' ? xml : `${open}>(not shown)</challenge>`);
  }

  private succeeded(username: string, { name }: Mechanism, message: string | undefined): void {
    this.state = { is: 'done' };
    this.context.brake.succeeded(username);
    const open = `<success xmlns='${NS.sasl}'`;
    if (message === undefined) this.around.send(`${open}/>`, `${open}/>`);
    else this.around.send(`${open}>${encodeBase64(message)}</success>`, `${open}>(not shown)</success>`);
    this.around.succeeded(username, name);
  }

  private failed(
    condition: SaslCondition,
    why: string,
    mechanism: string | undefined,
    username: string | undefined,
    kind: 'guess' | 'binding' | 'fault' = 'fault',
  ): void {
    // COMPAT(slixmpp 1.8): binds by tls-unique where there is none, and tries every mechanism before the one that works. None of that tells about a password.
    if (kind !== 'binding') this.failures += 1;
    this.around.note({ note: 'client-not-authenticated', username, mechanism, condition, why });
    const wait = kind === 'guess' ? this.context.brake.failed(username) : 0;
    if (wait === 0) {
      this.answerFailure(condition);
      return;
    }
    this.state = { is: 'penalty', condition };
    this.around.wait(wait);
  }

  private answerFailure(condition: SaslCondition): void {
    this.state = { is: 'idle' };
    const xml = `<failure xmlns='${NS.sasl}'><${condition}/></failure>`;
    this.around.send(xml, xml);
    if (this.failures >= ATTEMPTS) this.around.fail('policy-violation', 'Too many failed attempts to authenticate.');
  }
}

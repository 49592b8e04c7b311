/**
 * Elements whose text proves who somebody is: SASL (RFC 6120 §6.4), what came before it (XEP-0078), and after (XEP-0388), registration (XEP-0077),
 * components (XEP-0114).
 */
const SECRET = new Set([
  'auth',
  'response',
  'challenge',
  'success',
  'initial-response',
  'additional-data',
  'token',
  'password',
  'digest',
  'handshake',
]);

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const STAR = 0x2a;
const QUOTES = new Set([0x22, 0x27]);
/** What ends the name of a tag. */
const AFTER_NAME = new Set([0x20, 0x09, 0x0a, 0x0d, SLASH, GT]);
/** Bytes of a tag's name that are looked at. */
const LONGEST_NAME = 64;

/**
 * Replaces what must not be in a capture of an XMPP stream by stars, byte for byte, so that lengths stay. Works on one direction of a stream, in
 * whatever pieces it comes. When in doubt it masks: what is not well-formed may hide too much, never too little.
 */
export class SecretMask {
  /** How many elements are open inside a secret one, itself included; 0: nothing is secret. */
  #depth: number;
  #inTag = false;
  #quote = 0;
  #name = '';
  #named = false;
  #last = 0;
  /** Until the first tag, when the stream did not begin here. */
  #unknown: boolean;

  /** @param begun the stream has begun before: what comes up to the next tag may be the end of a secret */
  constructor(begun: boolean) {
    this.#depth = 0;
    this.#unknown = begun;
  }

  /** The same bytes with stars in them, as a copy. */
  mask(bytes: Uint8Array): Uint8Array {
    const shown = Uint8Array.from(bytes);
    for (let index = 0; index < shown.length; index += 1) {
      const byte = shown[index] ?? 0;
      if (this.#inTag ? this.#tagByte(byte) : this.#textByte(byte)) shown[index] = STAR;
    }
    return shown;
  }

  /** Whether a byte outside of tags is masked. */
  #textByte(byte: number): boolean {
    if (byte !== LT) return this.#depth > 0 || this.#unknown;
    this.#unknown = false;
    this.#inTag = true;
    this.#quote = 0;
    this.#name = '';
    this.#named = false;
    this.#last = LT;
    return false;
  }

  /** Whether a byte inside of a tag is masked: it is where something that is no tag, such as CDATA, stands in a secret element. */
  #tagByte(byte: number): boolean {
    if (this.#quote !== 0) {
      if (byte === this.#quote) this.#quote = 0;
      return false;
    }
    if (byte === GT) {
      this.#tagEnds();
      return false;
    }
    if (this.#named && QUOTES.has(byte) && this.#name.charCodeAt(0) !== BANG) this.#quote = byte;
    else if (!this.#named) {
      if (AFTER_NAME.has(byte) && !(byte === SLASH && this.#name === '')) this.#named = true;
      else if (this.#name.length < LONGEST_NAME) this.#name += String.fromCharCode(byte);
    }
    this.#last = byte;
    return this.#depth > 0 && this.#name.charCodeAt(0) === BANG;
  }

  #tagEnds(): void {
    this.#inTag = false;
    const first = this.#name.charCodeAt(0);
    // A declaration, CDATA or a processing instruction opens nothing.
    if (first === BANG || first === 0x3f) return;
    if (first === SLASH) {
      if (this.#depth > 0) this.#depth -= 1;
    } else if (this.#last !== SLASH && (this.#depth > 0 || SECRET.has(this.#name.replace(/^.*:/, '')))) {
      this.#depth += 1;
    }
  }
}

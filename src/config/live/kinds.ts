import { isIPv6 } from 'node:net';
import type { Json } from '../../protocol/link/messages.ts';
import { parseEndpoint, printEndpoint } from '../address.ts';
import { expectsOf, type Options, parseChoice } from '../choice.ts';
import type { Parsed } from '../measure.ts';
import { quote } from '../problem.ts';
import { parseRouteTarget, printRouteTarget } from '../route.ts';

/**
 * A kind of live value. What a person writes as text and what a program sends as JSON are read by the same function, so that both
 * are refused for the same reasons; `T` is the normal form, which is what is stored.
 */
export interface LiveKind<T extends Json = Json> {
  /** For the reference's type column. */
  readonly words: string;
  /** Takes the normal form, and every text that means one. Never throws. */
  parse(written: Json): Parsed<T>;
  /** For people, and such that `parse` reads it again; of what is no value of this kind, its JSON. */
  print(value: Json): string;
  /** As the reference system would show it in its log. */
  printAsReference(value: Json): string;
  /** Its values are never shown, and never leave their box. */
  readonly secret?: true;
}

/** A kind from functions that know its type; what is no value is shown as JSON. */
function kind<T extends Json>(
  words: string,
  parse: (written: Json) => Parsed<T>,
  print: (value: T) => string,
  printAsReference: (value: T) => string = print,
): LiveKind<T> {
  const shown =
    (show: (value: T) => string) =>
    (value: Json): string => {
      const parsed = parse(value);
      return 'value' in parsed ? show(parsed.value) : quote(JSON.stringify(value));
    };
  return { words, parse, print: shown(print), printAsReference: shown(printAsReference) };
}

const ON: ReadonlySet<Json> = new Set<Json>([true, 1, 'on', 'true', '1']);
const OFF: ReadonlySet<Json> = new Set<Json>([false, 0, 'off', 'false', '0']);

/** On or off, as `true` and `false`; the reference system writes 1 and 0. */
export const onOff: LiveKind<boolean> = kind(
  'on or off',
  (written) => {
    const plain = typeof written === 'string' ? written.trim().toLowerCase() : written;
    if (ON.has(plain)) return { value: true };
    if (OFF.has(plain)) return { value: false };
    return { reason: `${shownJson(written)} is neither on nor off`, cure: 'Write on or off.' };
  },
  (value) => (value ? 'on' : 'off'),
  (value) => (value ? '1' : '0'),
);

/** One of a few words. `reference` are the reference system's, where it has others. */
export function oneOf<const W extends string>(
  options: Options<W>,
  reference: Partial<Record<W, string>> = {},
): LiveKind<W> {
  const names = Object.keys(options);
  return kind<W>(
    names.join(', '),
    (written) => {
      if (typeof written !== 'string')
        return { reason: `${shownJson(written)} is not ${expectsOf(options)}`, cure: 'Write one of these words.' };
      // "Allow list" is how the reference system's pages have it.
      return parseChoice(options, written.trim().toLowerCase().replaceAll(/[ -]/g, '_'));
    },
    (value) => value,
    (value) => reference[value] ?? value,
  );
}

const LONGEST_NOTE = 500;

/** A remark for people; may be empty. */
export const note: LiveKind<string> = kind(
  'text',
  (written) => {
    if (typeof written !== 'string')
      return { reason: `${shownJson(written)} is not a text`, cure: 'Write a remark, or "" for none.' };
    const text = written.trim();
    if (text.length > LONGEST_NOTE)
      return { reason: `the remark has ${text.length} characters`, cure: `Write at most ${LONGEST_NOTE}.` };
    if (UNPRINTABLE.test(text))
      return { reason: 'the remark holds control characters or line breaks', cure: 'Write one line of text.' };
    return { value: text };
  },
  (value) => value,
);

/** Control and format characters, line separators and halves of surrogate pairs: nothing of it belongs in one line of text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const XMPP_SERVER = 5269;
const MOST_TARGETS = 32;
/** In place of an empty list: no route, although a wider pattern has one. */
const BY_DNS = 'dns';

/** Where a partner is reached, tried in order: `host:port` each, `tls://host:port` for direct TLS. The empty list is written `dns`. */
export const targets: LiveKind<readonly string[]> = kind<readonly string[]>(
  'list of address:port, or dns',
  (written) => {
    const parts = partsOf(written);
    if (parts === undefined)
      return { reason: `${shownJson(written)} is not a list of address:port`, cure: TARGETS_CURE };
    if (parts.length > MOST_TARGETS)
      return { reason: `the route has ${parts.length} addresses`, cure: `Write at most ${MOST_TARGETS}.` };
    const values: string[] = [];
    for (const part of parts) {
      const parsed = parseRouteTarget(part);
      if (!('value' in parsed)) return parsed;
      const target = printRouteTarget(parsed.value);
      if (values.includes(target)) return { reason: `${quote(target)} is there twice`, cure: 'Keep one of them.' };
      values.push(target);
    }
    return { value: Object.freeze(values) };
  },
  (value) => (value.length === 0 ? BY_DNS : value.join(', ')),
);

const TARGETS_CURE = `Write "192.0.2.20:${XMPP_SERVER}", several with commas between, or "${BY_DNS}" for no route.`;

function partsOf(written: Json): readonly string[] | undefined {
  if (typeof written === 'string') {
    if (written.trim().toLowerCase() === BY_DNS) return [];
    return written.trim() === '' ? undefined : written.split(',').map((part) => part.trim());
  }
  if (!Array.isArray(written)) return undefined;
  const parts: readonly Json[] = written;
  return parts.every((part) => typeof part === 'string') ? parts : undefined;
}

const SHORTEST_SECRET = 16;
const LONGEST_SECRET = 4096;
/** What stands wherever a secret is not shown. */
export const HIDDEN = '(secret)';

/** A secret. Neither it nor a part of it is ever repeated. */
export const secretText: LiveKind<string> = {
  words: 'secret',
  secret: true,
  parse(written) {
    const cure = 'Make one with: openssl rand -hex 32';
    if (typeof written !== 'string') return { reason: 'a secret is a text', cure };
    if (written === HIDDEN)
      return { reason: `"${HIDDEN}" is what stands in place of a secret`, cure: 'Write the secret itself.' };
    if (UNPRINTABLE.test(written)) return { reason: 'the secret is not one line of text', cure };
    if (written.length < SHORTEST_SECRET)
      return { reason: `the secret has ${written.length} characters, fewer than ${SHORTEST_SECRET}`, cure };
    if (Buffer.byteLength(written) > LONGEST_SECRET)
      return { reason: `the secret has more than ${LONGEST_SECRET} bytes`, cure };
    return { value: written };
  },
  print: () => HIDDEN,
  printAsReference: () => HIDDEN,
};

/** A password that somebody else has chosen: it is as long as it is. Neither it nor a part of it is ever repeated. */
export const password: LiveKind<string> = {
  words: 'secret',
  secret: true,
  parse(written) {
    const cure = 'Put it into a file, or give it on standard input.';
    if (typeof written !== 'string' || written === '') return { reason: 'a password is a text', cure };
    if (written === HIDDEN)
      return { reason: `"${HIDDEN}" is what stands in place of a secret`, cure: 'Write the password itself.' };
    if (UNPRINTABLE.test(written)) return { reason: 'the password is not one line of text', cure };
    if (Buffer.byteLength(written) > LONGEST_SECRET)
      return { reason: `the password has more than ${LONGEST_SECRET} bytes`, cure };
    return { value: written };
  },
  print: () => HIDDEN,
  printAsReference: () => HIDDEN,
};

const LONGEST_USER = 128;

/** A name to log in with. HTTP Basic has no way to say a colon in it (RFC 7617 §2). */
export const userName: LiveKind<string> = kind(
  'name',
  (written) => {
    const cure = `Write one word or several of at most ${LONGEST_USER} characters, without a colon.`;
    const text = typeof written === 'string' ? written.trim() : '';
    if (text === '') return { reason: `${shownJson(written)} is not a name`, cure };
    if (text.length > LONGEST_USER || text.includes(':') || UNPRINTABLE.test(text))
      return { reason: `${quote(text)} is not a name to log in with`, cure };
    return { value: text };
  },
  (value) => value,
);

/** A server by name or address; `usualPort` is that of one written without. */
export function server(usualPort: number): LiveKind<string> {
  return kind(
    'address:port',
    (written) => {
      const example = `Write a name or an address, such as "imp.example.org" or "192.0.2.20:${usualPort}".`;
      if (typeof written !== 'string') return { reason: `${shownJson(written)} is not a server`, cure: example };
      const text = written.trim();
      const hasPort = /\]:|^[^:[\]]*:[^:]*$/.test(text);
      const whole = hasPort ? text : `${isIPv6(text) ? `[${text}]` : text}:${usualPort}`;
      const parsed = parseEndpoint(whole, 'name or address', usualPort);
      return 'value' in parsed ? { value: printEndpoint(parsed.value) } : parsed;
    },
    (value) => value,
  );
}

/** The name of a host: RFC 1123 §2.1. An address is none. */
export const hostName: LiveKind<string> = kind(
  'host name',
  (written) => {
    const cure = 'Write the fully qualified name, such as edge-1.example.org.';
    if (typeof written !== 'string') return { reason: `${shownJson(written)} is not a host name`, cure };
    const text = written.trim().toLowerCase().replace(/\.$/, '');
    if (!HOST_NAME.test(text)) return { reason: `${quote(text)} is not a host name`, cure };
    return { value: text };
  },
  (value) => value,
);

/** Labels of letters, digits and hyphens; the last is not all digits, or it would be an address. */
const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function shownJson(value: Json): string {
  return typeof value === 'object' ? quote(JSON.stringify(value)) : quote(value);
}

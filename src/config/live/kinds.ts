import type { Json } from '../../protocol/link/messages.ts';
import { parseEndpoint, printEndpoint } from '../address.ts';
import { expectsOf, type Options, parseChoice } from '../choice.ts';
import type { Parsed } from '../measure.ts';
import { quote } from '../problem.ts';

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

/** Where a partner is reached, tried in order: `host:port` each. The empty list is written `dns`. */
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
      const parsed = parseEndpoint(part, 'name or address', XMPP_SERVER);
      if (!('value' in parsed)) return parsed;
      const target = printEndpoint(parsed.value);
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

function shownJson(value: Json): string {
  return typeof value === 'object' ? quote(JSON.stringify(value)) : quote(value);
}

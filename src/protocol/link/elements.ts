import { NS } from '../namespaces.ts';
import type { XmlElement } from '../xml/types.ts';
import { element, textOf, writeElement } from '../xml/write.ts';
import {
  anything,
  count,
  either,
  flag,
  integer,
  isShallow,
  list,
  MALFORMED,
  members,
  optional,
  parseJson,
  record,
  sha256,
  type Take,
  text,
  writeJson,
} from './json.ts';
import type { ConfigChange, ConfigStep, HiddenStep, Json, LinkMessage } from './messages.ts';

/** UTF-16 units of the JSON text of one message, all its parts together. */
export const LONGEST_MESSAGE = 4 * 1024 * 1024;
/** Bytes of text in one element. Below the least that the limit of an element can be (RFC 6120 §13.12), however the peer has set it. */
const LONGEST_TEXT = 8_000;

/** What an element in the namespace of the Link says. */
export type LinkReading =
  | { readonly is: 'message'; readonly message: LinkMessage }
  /** More of it follows. */
  | { readonly is: 'part' }
  /** A kind that a newer peer has. */
  | { readonly is: 'unknown' }
  | { readonly is: 'malformed'; readonly because: string };

type Kind = LinkMessage['is'];
type Members<K extends Kind> = Omit<Extract<LinkMessage, { readonly is: K }>, 'is'>;

const put: Take<ConfigStep> = members<{ readonly put: string; readonly value: Json }>({ put: text, value: anything });
const remove: Take<ConfigStep> = members<{ readonly remove: string }>({ remove: text });
const hide: Take<HiddenStep> = members<HiddenStep>({ hide: text });
const steps = list(either(put, remove, hide));
const change = members<ConfigChange>({
  origin: text,
  revision: count,
  time: integer,
  author: text,
  reason: text,
  steps,
});

const KINDS: { readonly [K in Kind]: Take<Members<K>> } = {
  follow: members<Members<'follow'>>({ origin: optional(text), since: count, digest: optional(sha256) }),
  backfill: members<Members<'backfill'>>({ origin: text, revision: count, digest: optional(sha256) }),
  entry: members<Members<'entry'>>({
    step: either<Members<'entry'>['step']>(
      members<{ readonly put: string; readonly value: Json }>({ put: text, value: anything }),
      hide,
    ),
    revision: count,
  }),
  cutover: members<Members<'cutover'>>({ origin: text, revision: count, entries: count }),
  change: members<Members<'change'>>({ change, digest: optional(sha256) }),
  applied: members<Members<'applied'>>({ origin: text, revision: count }),
  propose: members<Members<'propose'>>({ id: text, author: text, reason: text, steps, expect: record(count) }),
  accepted: members<Members<'accepted'>>({ id: text, revision: count }),
  declined: members<Members<'declined'>>({ id: text, conflict: flag, problems: list(text) }),
  homes: members<Members<'homes'>>({ domains: list(text) }),
  'homes-judged': members<Members<'homes-judged'>>({
    accepted: list(text),
    refused: list(members<{ readonly domain: string; readonly because: string }>({ domain: text, because: text })),
  }),
  renew: members<Members<'renew'>>({ publicKey: text }),
  renewed: members<Members<'renewed'>>({ chain: text }),
  ask: members<Members<'ask'>>({ id: text, what: text, about: anything }),
  told: members<Members<'told'>>({ id: text, answer: anything }),
  revoked: members({}),
};

/**
 * A message as first-level elements: one named after its kind, with the other members as a JSON object in its text; a long text goes ahead in `<part/>`s.
 * `undefined`: it is longer than `LONGEST_MESSAGE`, or deeper than the other end would read.
 */
export function writeLinkMessage({ is, ...said }: LinkMessage): readonly string[] | undefined {
  const json = writeJson(said);
  if (json.length > LONGEST_MESSAGE || !isShallow(json)) return undefined;
  const slices = sliced(json);
  return slices.map((slice, index) => {
    const name = index === slices.length - 1 ? is : 'part';
    return writeElement(element(name, NS.link, {}, slice), NS.server);
  });
}

/** Reads messages, one element after the other. It remembers parts until they are complete, and no more than `LONGEST_MESSAGE`. */
export class LinkMessageReader {
  private parts = '';

  /** Takes a first-level element in the namespace of the Link. Whatever it is, nothing is thrown. */
  read(received: XmlElement): LinkReading {
    const json = this.parts + textOf(received);
    this.parts = '';
    if (json.length > LONGEST_MESSAGE) return { is: 'malformed', because: 'A message is longer than a Link carries.' };
    if (received.name === 'part') {
      this.parts = json;
      return { is: 'part' };
    }
    if (!isKind(received.name)) return { is: 'unknown' };
    const message = readMessage(received.name, json);
    return message === MALFORMED
      ? { is: 'malformed', because: `A message of the kind "${received.name}" is not of its form.` }
      : { is: 'message', message };
  }
}

function readMessage(kind: Kind, json: string): LinkMessage | typeof MALFORMED {
  const value = parseJson(json);
  if (value === MALFORMED) return MALFORMED;
  const said = KINDS[kind](value);
  // What belongs to this kind has been read as this kind.
  return said === MALFORMED ? MALFORMED : ({ is: kind, ...said } as LinkMessage);
}

function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

/** Pieces that are short enough, however they are escaped; a character is not cut. At least one. */
function sliced(json: string): readonly string[] {
  const slices: string[] = [];
  let start = 0;
  let end = 0;
  let size = 0;
  for (const character of json) {
    const bytes = bytesOf(character);
    if (size + bytes > LONGEST_TEXT) {
      slices.push(json.slice(start, end));
      start = end;
      size = 0;
    }
    size += bytes;
    end += character.length;
  }
  slices.push(json.slice(start));
  return slices;
}

/** How many bytes of XML text a character becomes at most. */
function bytesOf(character: string): number {
  if (character === '&' || character === '<' || character === '>') return '&amp;'.length;
  return character > '\u007F' ? 4 : 1;
}

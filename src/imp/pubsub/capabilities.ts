import { createHash } from 'node:crypto';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, textOf } from '../../protocol/xml/write.ts';
import { childrenOf } from '../elements.ts';
import { DATA_FORMS } from '../forms/data-form.ts';

/** XEP-0115 §8. */
const CAPS = 'http://jabber.org/protocol/caps';
/** XEP-0030 §11. */
export const DISCO_INFO = 'http://jabber.org/protocol/disco#info';

/** UTF-16 units of what names capabilities. */
const LONGEST = 512;

/** The hash functions that a peer may use (XEP-0115 §5.1 demands sha-1), and Node's names for them. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['sha-1', 'sha1'],
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
]);

/** What a presence says of the capabilities of its sender (XEP-0115 §4). */
export interface CapsMention {
  readonly hash: string;
  readonly node: string;
  readonly ver: string;
}

/** The `<c/>` of a presence; `undefined` when there is none of the kind that can be checked. */
export function capsIn(presence: XmlElement): CapsMention | undefined {
  const caps = childOf(presence, 'c', CAPS);
  if (caps === undefined) return undefined;
  const hash = attributeOf(caps, 'hash');
  const node = attributeOf(caps, 'node');
  const ver = attributeOf(caps, 'ver');
  // XEP-0115 §5.4 step 1: without a hash it is the legacy format, which nobody can check.
  if (hash === undefined || node === undefined || ver === undefined) return undefined;
  return [hash, node, ver].some((value) => value === '' || value.length > LONGEST) ? undefined : { hash, node, ver };
}

/** The features that an answer to disco#info lists. */
export function featuresIn(info: XmlElement): readonly string[] {
  return childrenOf(info, 'feature', DISCO_INFO).flatMap((feature) => attributeOf(feature, 'var') ?? []);
}

/** Whether an answer to disco#info is what the hash was made of (XEP-0115 §5.4): only then does it hold for everybody who shows that hash. */
export function isVerified({ hash, ver }: CapsMention, info: XmlElement): boolean {
  const algorithm = HASHES.get(hash);
  const text = algorithm === undefined ? undefined : verificationText(info);
  if (algorithm === undefined || text === undefined) return false;
  return createHash(algorithm).update(text).digest('base64') === ver;
}

/** The string that is hashed (XEP-0115 §5.1); `undefined` for an answer that is ill-formed (§5.4 step 3). */
export function verificationText(info: XmlElement): string | undefined {
  const identities = childrenOf(info, 'identity', DISCO_INFO).map((identity) =>
    [
      attributeOf(identity, 'category') ?? '',
      attributeOf(identity, 'type') ?? '',
      attributeOf(identity, 'lang', 'http://www.w3.org/XML/1998/namespace') ?? '',
      attributeOf(identity, 'name') ?? '',
    ].join('/'),
  );
  const features = featuresIn(info);
  const forms = childrenOf(info, 'x', DATA_FORMS).flatMap((form) => formTextOf(form) ?? []);
  const abouts = forms.map(({ about }) => about);
  if ([identities, features, abouts].some(hasTwice)) return undefined;
  const parts = [
    ...identities.toSorted(byOctets),
    ...features.toSorted(byOctets),
    ...forms.toSorted((a, b) => byOctets(a.about, b.about)).flatMap(({ parts: fields }) => fields),
  ];
  // The separator inside a part would make two different answers the same text.
  return parts.some((part) => part.includes('<')) ? undefined : parts.map((part) => `${part}<`).join('');
}

/** A form of an answer (XEP-0128) as its parts of the text; `undefined` for one that does not count (XEP-0115 §5.4 step 3.6). */
function formTextOf(form: XmlElement): { readonly about: string; readonly parts: readonly string[] } | undefined {
  const fields = childrenOf(form, 'field', DATA_FORMS).map((field) => ({
    name: attributeOf(field, 'var') ?? '',
    type: attributeOf(field, 'type'),
    values: childrenOf(field, 'value', DATA_FORMS).map(textOf),
  }));
  const purpose = fields.find(({ name }) => name === 'FORM_TYPE');
  const [about] = purpose?.values ?? [];
  if (purpose?.type !== 'hidden' || about === undefined) return undefined;
  const others = fields.filter(({ name }) => name !== 'FORM_TYPE').toSorted((a, b) => byOctets(a.name, b.name));
  return { about, parts: [about, ...others.flatMap(({ name, values }) => [name, ...values.toSorted(byOctets)])] };
}

/** i;octet (RFC 4790 §9.3). */
function byOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function hasTwice(values: readonly string[]): boolean {
  return new Set(values).size !== values.length;
}

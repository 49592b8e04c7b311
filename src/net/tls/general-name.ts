import type { PresentedName } from '../../protocol/identity/facts.ts';
import { printable } from '../../protocol/identity/printable.ts';
import { type Asn1, isContext, isUniversal, octetsAsText, sequenceOf, TAG, textOf } from './asn1.ts';

/** A GeneralName (RFC 5280 §4.2.1.6): an entry of subjectAltName, or the base of a name constraint. */
export type GeneralName =
  /** IA5 octets, one character each. */
  | { readonly kind: 'dns' | 'email' | 'uri'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: Uint8Array }
  | { readonly kind: 'directory'; readonly value: DistinguishedName }
  /** `value` is `undefined` when it is not of the type that its specification demands. */
  | { readonly kind: 'other'; readonly type: string; readonly value: string | undefined }
  | { readonly kind: 'unknown'; readonly tag: number };

/** The RDNs, from the root of the directory down. */
export type DistinguishedName = readonly RelativeName[];

export interface RelativeName {
  /** For people: `CN=vngtp.lab`. */
  readonly text: string;
  /** For comparison: case, white space and string type do not count (RFC 5280 §7.1). */
  readonly key: string;
}

/** RFC 4985 §2: id-on-dnsSRV, an IA5String. */
export const SRV_NAME = '1.3.6.1.5.5.7.8.7';
/** RFC 6120 §13.7.1.4: id-on-xmppAddr, a UTF8String. */
export const XMPP_ADDR = '1.3.6.1.5.5.7.8.5';

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

const ATTRIBUTE_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  [EMAIL_ADDRESS]: 'emailAddress',
};

/** Reads the content of a GeneralName; `undefined` when it is malformed. */
export function readGeneralName(element: Asn1): GeneralName | undefined {
  if (element.tagClass !== 'context') return undefined;
  const primitive = element.children === undefined;
  switch (element.tag) {
    case 0:
      return readOtherName(element);
    case 1:
      return primitive ? { kind: 'email', value: octetsAsText(element.content) } : undefined;
    case 2:
      return primitive ? { kind: 'dns', value: octetsAsText(element.content) } : undefined;
    case 4: {
      const [name, ...more] = element.children ?? [];
      const value = name === undefined || more.length > 0 ? undefined : readDistinguishedName(name);
      return value === undefined ? undefined : { kind: 'directory', value };
    }
    case 6:
      return primitive ? { kind: 'uri', value: octetsAsText(element.content) } : undefined;
    case 7:
      return primitive ? { kind: 'ip', value: element.content } : undefined;
    default:
      return { kind: 'unknown', tag: element.tag };
  }
}

/** Reads `GeneralNames`, as subjectAltName has them; `undefined` when a part is malformed. */
export function readGeneralNames(element: Asn1 | undefined): readonly GeneralName[] | undefined {
  const names: GeneralName[] = [];
  for (const child of sequenceOf(element) ?? [undefined]) {
    const name = child === undefined ? undefined : readGeneralName(child);
    if (name === undefined) return undefined;
    names.push(name);
  }
  return names;
}

/** The names among them that can prove an XMPP domain (RFC 6120 §13.7.1.2). */
export function presentedNames(names: readonly GeneralName[]): readonly PresentedName[] {
  return names.flatMap((name): PresentedName[] => {
    if (name.kind === 'dns') return [{ kind: 'dns', value: name.value }];
    if (name.kind !== 'other' || name.value === undefined) return [];
    if (name.type === SRV_NAME) return [{ kind: 'srv', value: name.value }];
    return name.type === XMPP_ADDR ? [{ kind: 'xmpp', value: name.value }] : [];
  });
}

/** Reads a `Name` (RFC 5280 §4.1.2.4); `undefined` when it is malformed. */
export function readDistinguishedName(element: Asn1): DistinguishedName | undefined {
  const names: RelativeName[] = [];
  for (const rdn of sequenceOf(element) ?? [undefined]) {
    const read = rdn === undefined ? undefined : readRelativeName(rdn);
    if (read === undefined) return undefined;
    names.push(read);
  }
  return names;
}

/** `CN=vngtp.lab, O=Example`, safe for logs. */
export function nameInWords(name: DistinguishedName): string {
  return name.map(({ text }) => text).join(', ');
}

export function sameName(one: DistinguishedName, other: DistinguishedName): boolean {
  return one.length === other.length && isWithin(one, other);
}

/** RFC 5280 §7.1: a name is within a subtree when it begins with all of the subtree's RDNs. */
export function isWithin(name: DistinguishedName, subtree: DistinguishedName): boolean {
  return subtree.length <= name.length && subtree.every((rdn, at) => rdn.key === name[at]?.key);
}

/** Addresses in the subject's emailAddress attributes, which constraints on e-mail addresses cover too (RFC 5280 §4.2.1.10). */
export function hasEmailAddress(name: DistinguishedName): boolean {
  return name.some(({ key }) => key.split('+').some((part) => part.startsWith(`${EMAIL_ADDRESS}=`)));
}

function readOtherName(element: Asn1): GeneralName | undefined {
  const [type, wrapped, ...more] = element.children ?? [];
  const [value, ...others] = isContext(wrapped, 0) ? (wrapped?.children ?? []) : [];
  if (type?.oid === undefined || value === undefined || more.length > 0 || others.length > 0) return undefined;
  const demanded = type.oid === SRV_NAME ? TAG.ia5String : type.oid === XMPP_ADDR ? TAG.utf8String : undefined;
  const fits = demanded !== undefined && isUniversal(value, demanded);
  return { kind: 'other', type: type.oid, value: fits ? textOf(value) : undefined };
}

function readRelativeName(element: Asn1): RelativeName | undefined {
  if (!isUniversal(element, TAG.set) || element.children === undefined || element.children.length === 0) {
    return undefined;
  }
  const attributes: RelativeName[] = [];
  for (const child of element.children) {
    const [type, value, ...more] = sequenceOf(child) ?? [];
    if (type?.oid === undefined || value === undefined || more.length > 0) return undefined;
    const text = textOf(value);
    const octets = `#${Buffer.from(value.content).toString('hex')}`;
    attributes.push({
      text: `${ATTRIBUTE_NAMES[type.oid] ?? type.oid}=${text === undefined ? printable(octets) : escaped(text)}`,
      key: `${type.oid}=${text === undefined ? `${value.tagClass} ${value.tag} ${octets}` : comparable(text)}`,
    });
  }
  return {
    text: attributes.map(({ text }) => text).join('+'),
    key: attributes
      .map(({ key }) => key)
      .sort()
      .join('+'),
  };
}

/** A comma, a plus or an equals sign in a value must not look like the start of the next attribute. */
function escaped(value: string): string {
  return printable(value).replace(/[,+="]/g, '\\$&');
}

/** `+` joins attributes in a key, so one inside a value is written otherwise. */
function comparable(value: string): string {
  const folded = value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  return folded.replace(/[\\+]/g, (character) => (character === '+' ? '\\p' : '\\\\'));
}

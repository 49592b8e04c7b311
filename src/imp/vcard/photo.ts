import { createHash } from 'node:crypto';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { childOf, element, textOf } from '../../protocol/xml/write.ts';
import { without } from '../elements.ts';

/** XEP-0054 §3. */
export const VCARD = 'vcard-temp';

/** Octets of an image; XEP-0153 §4.1 would have clients stay below 8 kilobytes, and none does. */
const LARGEST_IMAGE = 150_000;

/** Media types of images. SVG is none here: it is a program as much as a picture, and goes to everybody who sees the user. */
const IMAGE_TYPE = /^image\/(?!svg)[a-z0-9][a-z0-9.+-]{0,40}$/;

/** An image that stands for a user. */
export interface Avatar {
  /** SHA-1 of the image in hexadecimal (XEP-0084 §2.1, XEP-0153 §3.1). */
  readonly hash: string;
  /** Its media type. */
  readonly type: string;
  /** Canonical base64 (RFC 4648 §4). */
  readonly base64: string;
  readonly octets: number;
}

/** The photo of a vCard (XEP-0054 §3). `undefined`: it has none, or only the address of one. `malformed`: the type or the base64 is none. */
export function photoOf(vcard: XmlElement): Avatar | 'malformed' | undefined {
  const photo = childOf(vcard, 'PHOTO', VCARD);
  const binary = photo === undefined ? undefined : childOf(photo, 'BINVAL', VCARD);
  if (photo === undefined || binary === undefined || textOf(binary).trim() === '') return undefined;
  const type = childOf(photo, 'TYPE', VCARD);
  return avatarOf(type === undefined ? '' : textOf(type), textOf(binary)) ?? 'malformed';
}

/** An avatar from its media type and its base64, which may be broken into lines; `undefined` when either is malformed, or the image is too large. */
export function avatarOf(type: string, base64: string): Avatar | undefined {
  const mediaType = type.trim().toLowerCase();
  const compact = base64.replaceAll(/\s/g, '');
  if (!IMAGE_TYPE.test(mediaType) || compact === '') return undefined;
  const image = Buffer.from(compact, 'base64');
  // Node reads around what is no base64: only what it would write itself was read whole.
  if (image.toString('base64') !== compact || image.length > LARGEST_IMAGE) return undefined;
  const hash = createHash('sha1').update(image).digest('hex');
  return { hash, type: mediaType, base64: compact, octets: image.length };
}

/** The vCard with this photo in the place of the one it has; without one, when there is none. */
export function withPhoto(vcard: XmlElement, avatar: Avatar | undefined): XmlElement {
  const rest = without(vcard, ({ name, namespace }) => name === 'PHOTO' && namespace === VCARD);
  if (avatar === undefined) return rest;
  const photo = element(
    'PHOTO',
    VCARD,
    {},
    element('TYPE', VCARD, {}, avatar.type),
    element('BINVAL', VCARD, {}, avatar.base64),
  );
  return { ...rest, children: [...rest.children, photo] };
}

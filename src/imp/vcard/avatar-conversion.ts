import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element, textOf } from '../../protocol/xml/write.ts';
import { childrenOf } from '../elements.ts';
import { type NodeConfig, USUAL_CONFIG } from '../pubsub/node-config.ts';
import type { PersonalEvents } from '../pubsub/personal-events.ts';
import { type Avatar, avatarOf } from './photo.ts';
import type { VcardService } from './vcard-service.ts';

/** XEP-0084 §3. */
const DATA = 'urn:xmpp:avatar:data';
const METADATA = 'urn:xmpp:avatar:metadata';

/** A photo of a vCard is seen by everybody; so is what is made of it. */
const OPEN: NodeConfig = { ...USUAL_CONFIG, accessModel: 'open' };

/**
 * Keeps the avatar of PEP (XEP-0084) and the photo of the vCard (XEP-0054) the same (XEP-0398 §2). Whoever of both was changed by the owner is told to the
 * other, and what is changed here is told to nobody: it cannot come back.
 */
export function convertAvatars(vcards: VcardService, events: PersonalEvents): void {
  vcards.onPhotoChanged((account, avatar) => publish(events, account, avatar));
  events.onNodeChanged((account, node) => {
    if (node !== METADATA) return;
    const avatar = publishedAvatar(events, account);
    if (avatar !== 'private') vcards.setPhoto(account, avatar);
  });
}

/** XEP-0398 §3.2; without a photo, that there is none any more (XEP-0084 §4.4). */
function publish(events: PersonalEvents, account: string, avatar: Avatar | undefined): void {
  const last = events.lastItem(account, METADATA);
  if (avatar === undefined) {
    if (last !== undefined) events.put(account, METADATA, last.id, element('metadata', METADATA), OPEN);
    return;
  }
  if (last?.id === avatar.hash && last.payload.children.length > 0) return;
  const { hash, type, base64, octets } = avatar;
  const info = element('info', METADATA, { id: hash, type, bytes: octets.toString() });
  events.put(account, DATA, hash, element('data', DATA, {}, base64), OPEN);
  events.put(account, METADATA, hash, element('metadata', METADATA, {}, info), OPEN);
}

/**
 * The avatar that an account has published, for everybody to see: `undefined` when there is none, `private` when it is not for everybody or when what the
 * metadata names is not there (XEP-0398 §7, §3.1).
 */
function publishedAvatar(events: PersonalEvents, account: string): Avatar | 'private' | undefined {
  const metadata = events.lastItem(account, METADATA);
  const info = metadata === undefined ? undefined : internalInfo(metadata.payload);
  if (info === undefined) return undefined;
  const id = attributeOf(info, 'id') ?? '';
  const data = events.item(account, DATA, id);
  const isOpen = [METADATA, DATA].every((node) => events.configOf(account, node)?.accessModel === 'open');
  if (data === undefined || !isOpen) return 'private';
  const avatar = avatarOf(attributeOf(info, 'type') ?? 'image/png', textOf(data.payload));
  return avatar === undefined || avatar.hash !== id.toLowerCase() ? 'private' : avatar;
}

/** The image that is kept here, not at an address somewhere (XEP-0084 §5). */
function internalInfo(metadata: XmlElement): XmlElement | undefined {
  return childrenOf(metadata, 'info', METADATA).find((info) => attributeOf(info, 'url') === undefined);
}

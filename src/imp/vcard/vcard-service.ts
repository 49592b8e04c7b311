import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element, textOf } from '../../protocol/xml/write.ts';
import type { NodeDatabase } from '../database/database.ts';
import { octetsOf, toStored } from '../database/stored.ts';
import { without } from '../elements.ts';
import type { Directory, IqAnswer, IqRequest, IqService, PresenceWatcher } from '../messaging/ports.ts';
import type { ClientSession } from '../sessions.ts';
import { type Avatar, photoOf, VCARD, withPhoto } from './photo.ts';
import { VcardStore } from './vcard-store.ts';

/** XEP-0153 §3.1. */
const UPDATE = 'vcard-temp:x:update';

/** Octets of a vCard without its photo, which has a bound of its own. */
const LARGEST_VCARD = 40_000;

/** XEP-0398 §3. */
const CONVERSION = 'urn:xmpp:pep-vcard-conversion:0';

export interface VcardOptions {
  readonly database: NodeDatabase;
  readonly directory: () => Pick<Directory, 'announce'>;
}

/**
 * The vCards of the users (XEP-0054), which everybody may see and their owners may change, and the hash of the photo in what they say of their presence
 * (XEP-0153, XEP-0398 §4). The tables are `VCARD_TABLES`.
 */
export class VcardService implements IqService, PresenceWatcher {
  readonly namespace = VCARD;
  readonly at = ['account'] as const;
  readonly features: readonly string[] = [VCARD, CONVERSION];
  private readonly store: VcardStore;
  private readonly directory: VcardOptions['directory'];
  /** What we said of photos: it is not the client's word, and changes when it passes again. */
  private readonly said = new WeakSet<XmlElement>();
  private photoChanged: (account: string, avatar: Avatar | undefined) => void = () => {};

  constructor({ database, directory }: VcardOptions) {
    this.store = new VcardStore(database);
    this.directory = directory;
  }

  /** `photoChanged` is called when an owner has set a vCard with another photo than before; not for `setPhoto`. */
  onPhotoChanged(photoChanged: (account: string, avatar: Avatar | undefined) => void): void {
    this.photoChanged = photoChanged;
  }

  answer({ type, account, isOwner, payload }: IqRequest): IqAnswer {
    // XEP-0054 §3: the element is in upper case for historical reasons.
    if (account === undefined || payload.name !== 'vCard') return { error: 'service-unavailable' };
    if (type === 'get') {
      const vcard = this.store.get(account);
      // XEP-0054 §3.1: an owner learns that there is none by an empty one, everybody else by the error.
      if (vcard === undefined) return isOwner ? { result: element('vCard', VCARD) } : { error: 'item-not-found' };
      return { result: vcard };
    }
    return isOwner ? this.set(account, payload) : { error: 'forbidden' };
  }

  /** Puts a photo into the vCard, or takes it out, as another service of the account wants it. */
  setPhoto(account: string, avatar: Avatar | undefined): void {
    if (this.store.photoHash(account) === avatar?.hash) return;
    const vcard = this.store.get(account) ?? element('vCard', VCARD);
    this.store.put(account, withPhoto(vcard, avatar), avatar?.hash);
    this.directory().announce(account);
  }

  /** XEP-0398 §4: an empty photo means that the client has not asked for it yet, and stays; anything else is replaced by what the vCard has. */
  outgoing(session: ClientSession, presence: XmlElement): XmlElement {
    const account = session.address.local;
    if (account === undefined || attributeOf(presence, 'type') !== undefined) return presence;
    const update = childOf(presence, 'x', UPDATE);
    const photo = update === undefined ? undefined : childOf(update, 'photo', UPDATE);
    if (update !== undefined && !this.said.has(update) && photo !== undefined && textOf(photo) === '') return presence;
    const rest = without(presence, (child) => child.namespace === UPDATE);
    const hash = this.store.photoHash(account);
    const known = element('x', UPDATE, {}, element('photo', UPDATE, {}, ...(hash === undefined ? [] : [hash])));
    this.said.add(known);
    return { ...rest, children: [...rest.children, known] };
  }

  removeAccount(account: string): void {
    this.store.remove(account);
  }

  private set(account: string, vcard: XmlElement): IqAnswer {
    const photo = photoOf(vcard);
    if (photo === 'malformed')
      return {
        error: 'not-acceptable',
        text: 'The photo is no image in base64 with a media type, or it is too large.',
      };
    if (octetsOf(toStored(withPhoto(vcard, undefined))) > LARGEST_VCARD)
      return { error: 'policy-violation', text: `Without its photo, a vCard has at most ${LARGEST_VCARD} bytes.` };
    const before = this.store.photoHash(account);
    this.store.put(account, vcard, photo?.hash);
    if (before !== photo?.hash) {
      this.photoChanged(account, photo);
      this.directory().announce(account);
    }
    return { result: undefined };
  }
}

import type { StatementSync } from 'node:sqlite';
import type { Jid } from '../../protocol/jid/jid.ts';
import { readJid } from '../../protocol/jid/prepare.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element, textOf } from '../../protocol/xml/write.ts';
import type { NodeDatabase } from '../database/database.ts';
import { textIn } from '../database/stored.ts';
import { childrenOf } from '../elements.ts';
import type { IqAnswer } from '../messaging/ports.ts';
import { MAM } from './query.ts';

/** Addresses in both lists together. */
const MOST_ADDRESSES = 500;

/** What happens to messages with somebody whom neither list names (XEP-0441 §2.1). */
type Fallback = 'always' | 'never' | 'roster';

interface Preferences {
  readonly fallback: Fallback;
  /** Prepared addresses as text. */
  readonly always: readonly string[];
  readonly never: readonly string[];
}

/** Whoever has not said anything has everything kept: their clients find it on every device. */
const USUAL: Preferences = { fallback: 'always', always: [], never: [] };

/** What users want to have kept of their messages (XEP-0441). */
export class ArchivePreferences {
  private readonly isContact: (account: string, address: Jid) => boolean;
  private readonly select: StatementSync;
  private readonly upsert: StatementSync;
  private readonly erase: StatementSync;

  /** `isContact`: whether the bare address is in the roster of the account. */
  constructor({ sql }: NodeDatabase, isContact: (account: string, address: Jid) => boolean) {
    this.isContact = isContact;
    this.select = sql.prepare('SELECT fallback, always, never FROM archive_preferences WHERE owner = ?');
    this.upsert = sql.prepare(
      'INSERT OR REPLACE INTO archive_preferences (owner, fallback, always, never) VALUES (?, ?, ?, ?)',
    );
    this.erase = sql.prepare('DELETE FROM archive_preferences WHERE owner = ?');
  }

  /** Whether messages between the account and this address are kept (XEP-0441 §2.3). */
  admits(account: string, address: Jid): boolean {
    const { fallback, always, never } = this.of(account);
    const names = [printJid(address), printJid(bareOf(address))];
    if (names.some((name) => never.includes(name))) return false;
    if (names.some((name) => always.includes(name))) return true;
    return fallback === 'always' || (fallback === 'roster' && this.isContact(account, bareOf(address)));
  }

  /** Answers a `<prefs/>` of the account itself. */
  answer(account: string, type: 'get' | 'set', payload: XmlElement): IqAnswer {
    if (type === 'get') return { result: writePreferences(this.of(account)) };
    const preferences = readPreferences(payload);
    if (preferences === undefined) return { error: 'bad-request', text: 'The preferences are malformed.' };
    const { fallback, always, never } = preferences;
    if (always.length + never.length > MOST_ADDRESSES)
      return { error: 'policy-violation', text: 'The preferences name too many addresses.' };
    this.upsert.run(account, fallback, always.join('\n'), never.join('\n'));
    return { result: writePreferences(preferences) };
  }

  /** Forgets what an account wanted. */
  remove(account: string): void {
    this.erase.run(account);
  }

  private of(account: string): Preferences {
    const row = this.select.get(account);
    if (row === undefined) return USUAL;
    const fallback = textIn(row, 'fallback');
    return {
      fallback: isFallback(fallback) ? fallback : USUAL.fallback,
      always: lines(textIn(row, 'always')),
      never: lines(textIn(row, 'never')),
    };
  }
}

function readPreferences(payload: XmlElement): Preferences | undefined {
  const fallback = attributeOf(payload, 'default');
  const always = addressesIn(childOf(payload, 'always', MAM));
  const never = addressesIn(childOf(payload, 'never', MAM));
  return isFallback(fallback) && always !== undefined && never !== undefined ? { fallback, always, never } : undefined;
}

/** A list that is missing is an empty one (XEP-0441 §2.1.2, §2.1.3); one with something that is no address is `undefined`. */
function addressesIn(list: XmlElement | undefined): readonly string[] | undefined {
  const addresses = new Set<string>();
  for (const child of list === undefined ? [] : childrenOf(list, 'jid', MAM)) {
    const address = readJid(textOf(child).trim());
    if (address === undefined) return undefined;
    addresses.add(printJid(address));
  }
  return [...addresses];
}

function writePreferences({ fallback, always, never }: Preferences): XmlElement {
  return element('prefs', MAM, { default: fallback }, writeAddresses('always', always), writeAddresses('never', never));
}

function writeAddresses(name: string, addresses: readonly string[]): XmlElement {
  return element(name, MAM, {}, ...addresses.map((address) => element('jid', MAM, {}, address)));
}

/** An address has no line breaks: RFC 7622 allows none in any part. */
function lines(text: string): readonly string[] {
  return text === '' ? [] : text.split('\n');
}

function isFallback(text: string | undefined): text is Fallback {
  return text === 'always' || text === 'never' || text === 'roster';
}

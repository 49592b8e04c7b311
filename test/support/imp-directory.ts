import type { Directory } from '../../src/imp/messaging/ports.ts';
import type { Packet, Post } from '../../src/imp/packet.ts';
import type { ClientSession } from '../../src/imp/sessions.ts';
import type { Jid } from '../../src/protocol/jid/jid.ts';
import { printJid } from '../../src/protocol/jid/print.ts';
import { jid, text } from './imp-accounts.ts';

/** Rosters and sessions as a test sets them. */
export class PlainDirectory implements Directory {
  /** By account: bare addresses that receive its presence. */
  readonly subscribers = new Map<string, readonly string[]>();
  readonly sessions = new Set<ClientSession>();
  /** Accounts whose presence was to be sent again. */
  readonly announced: string[] = [];

  exists(): boolean {
    return true;
  }

  subscribersOf(account: string): readonly Jid[] {
    return (this.subscribers.get(account) ?? []).map(jid);
  }

  mayWatch(account: string, address: Jid): boolean {
    const bare = printJid({ ...address, resource: undefined });
    return bare === `${account}@coluc.example` || (this.subscribers.get(account) ?? []).includes(bare);
  }

  sessionsOf(account: string): readonly ClientSession[] {
    return [...this.sessions].filter((session) => session.address.local === account);
  }

  isContact(account: string, address: Jid): boolean {
    return (this.subscribers.get(account) ?? []).includes(printJid(address));
  }

  announce(account: string): void {
    this.announced.push(account);
  }
}

/** Keeps what is sent. */
export class RecordedPost implements Post {
  private readonly sent: Packet[] = [];

  send(packet: Packet): void {
    this.sent.push(packet);
  }

  /** What was sent since the last call, as text. */
  take(): readonly string[] {
    return this.sent.splice(0).map(({ element }) => text(element));
  }
}

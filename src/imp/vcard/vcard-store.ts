import type { StatementSync } from 'node:sqlite';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { NodeDatabase, SchemaPart } from '../database/database.ts';
import { fromStored, textIn, toStored } from '../database/stored.ts';

export const VCARD_TABLES: SchemaPart = {
  name: 'vcard',
  steps: [
    `CREATE TABLE vcards (account TEXT PRIMARY KEY, vcard TEXT NOT NULL, photo TEXT NOT NULL) STRICT;
     CREATE INDEX vcard_photos ON vcards (account, photo);`,
  ],
};

/** The vCards of the users, and the hashes of their photos. */
export class VcardStore {
  private readonly select: StatementSync;
  private readonly selectPhoto: StatementSync;
  private readonly upsert: StatementSync;
  private readonly erase: StatementSync;

  constructor({ sql }: NodeDatabase) {
    this.select = sql.prepare('SELECT vcard FROM vcards WHERE account = ?');
    this.selectPhoto = sql.prepare('SELECT photo FROM vcards WHERE account = ?');
    this.upsert = sql.prepare('INSERT OR REPLACE INTO vcards (account, vcard, photo) VALUES (?, ?, ?)');
    this.erase = sql.prepare('DELETE FROM vcards WHERE account = ?');
  }

  get(account: string): XmlElement | undefined {
    const row = this.select.get(account);
    return row === undefined ? undefined : fromStored(textIn(row, 'vcard'));
  }

  /** SHA-1 of the photo in hexadecimal; `undefined` without a photo. */
  photoHash(account: string): string | undefined {
    const row = this.selectPhoto.get(account);
    const hash = row === undefined ? '' : textIn(row, 'photo');
    return hash === '' ? undefined : hash;
  }

  put(account: string, vcard: XmlElement, photoHash: string | undefined): void {
    this.upsert.run(account, toStored(vcard), photoHash ?? '');
  }

  remove(account: string): void {
    this.erase.run(account);
  }
}

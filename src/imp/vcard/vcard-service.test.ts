import { beforeEach, expect, test } from 'vitest';
import { foreignRequest, ownRequest, RecordedSession, text, xml } from '../../../test/support/imp-accounts.ts';
import { PlainDirectory } from '../../../test/support/imp-directory.ts';
import { NodeDatabase } from '../database/database.ts';
import type { IqRequest } from '../messaging/ports.ts';
import { VcardService } from './vcard-service.ts';
import { VCARD_TABLES } from './vcard-store.ts';

const HASH = 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d';
const PHOTO = '<PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>';
const juliet = new RecordedSession('juliet@coluc.example/balcony');
let directory: PlainDirectory;
let vcards: VcardService;

beforeEach(() => {
  directory = new PlainDirectory();
  vcards = new VcardService({ database: new NodeDatabase(':memory:', [VCARD_TABLES]), directory: () => directory });
});

function shown(request: IqRequest): string {
  const answer = vcards.answer(request);
  if ('error' in answer) return answer.error;
  return answer.result === undefined ? '' : text(answer.result);
}

function set(inside: string): string {
  return shown(ownRequest(juliet, 'set', `<vCard xmlns='vcard-temp'>${inside}</vCard>`));
}

function get(from?: string): string {
  const payload = "<vCard xmlns='vcard-temp'/>";
  return shown(
    from === undefined ? ownRequest(juliet, 'get', payload) : foreignRequest(from, 'juliet', 'get', payload),
  );
}

function outgoing(presence: string): string {
  return text(vcards.outgoing(juliet, xml(presence)));
}

test('whoever has no vCard sees an empty one, and others see none', () => {
  expect(get()).toBe("<vCard xmlns='vcard-temp'/>");
  expect(get('romeo@vngtp.example/orchard')).toBe('item-not-found');
});

test('a vCard that the owner has set is what everybody gets', () => {
  expect(set('<FN>Juliet</FN>')).toBe('');
  const vcard = "<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>";
  expect([get(), get('romeo@vngtp.example/orchard')]).toEqual([vcard, vcard]);
});

test('nobody else sets it, and the server has none', () => {
  const payload = "<vCard xmlns='vcard-temp'><FN>Mallory</FN></vCard>";
  expect(shown(foreignRequest('mallory@vngtp.example/x', 'juliet', 'set', payload))).toBe('forbidden');
  expect(shown({ ...ownRequest(juliet, 'get', payload), account: undefined })).toBe('service-unavailable');
  expect(shown(ownRequest(juliet, 'set', "<vcard xmlns='vcard-temp'/>"))).toBe('service-unavailable');
});

test('what is no photo or too large is refused, and what was there stays', () => {
  set('<FN>Juliet</FN>');
  expect(set('<PHOTO><TYPE>text/html</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>')).toBe('not-acceptable');
  expect(set(`<DESC>${'x'.repeat(40_001)}</DESC>`)).toBe('policy-violation');
  expect(get()).toContain('Juliet');
});

test('a photo that changes is told, and presence is sent again; what does not change is not', () => {
  const told: (string | undefined)[] = [];
  vcards.onPhotoChanged((_, avatar) => told.push(avatar?.hash));
  set('<FN>Juliet</FN>');
  expect([told, directory.announced]).toEqual([[], []]);
  set(PHOTO);
  set(`<FN>Juliet C.</FN>${PHOTO}`);
  set('<FN>Juliet</FN>');
  expect([told, directory.announced]).toEqual([
    [HASH, undefined],
    ['juliet', 'juliet'],
  ]);
});

test('the hash is in each presence that does not say that it is too early', () => {
  set(PHOTO);
  const update = `<x xmlns='vcard-temp:x:update'><photo>${HASH}</photo></x>`;
  expect(outgoing('<presence><show>away</show></presence>')).toBe(`<presence><show>away</show>${update}</presence>`);
  expect(outgoing("<presence><x xmlns='vcard-temp:x:update'/></presence>")).toBe(`<presence>${update}</presence>`);
  expect(outgoing("<presence><x xmlns='vcard-temp:x:update'><photo>old</photo></x></presence>")).toBe(
    `<presence>${update}</presence>`,
  );
  const early = "<presence><x xmlns='vcard-temp:x:update'><photo/></x></presence>";
  expect(outgoing(early)).toBe(early);
  expect(outgoing("<presence type='unavailable'/>")).toBe("<presence type='unavailable'/>");
});

test('what was said of photos before is replaced when the presence passes again', () => {
  const first = vcards.outgoing(juliet, xml('<presence/>'));
  expect(text(first)).toBe("<presence><x xmlns='vcard-temp:x:update'><photo/></x></presence>");
  set(PHOTO);
  expect(text(vcards.outgoing(juliet, first))).toContain(HASH);
});

test('an account that is removed has no vCard', () => {
  set(PHOTO);
  vcards.removeAccount('juliet');
  expect(get()).toBe("<vCard xmlns='vcard-temp'/>");
});

import { beforeEach, expect, test } from 'vitest';
import { ownRequest, RecordedSession, text, xml } from '../../../test/support/imp-accounts.ts';
import { PlainDirectory, RecordedPost } from '../../../test/support/imp-directory.ts';
import { NodeDatabase } from '../database/database.ts';
import type { IqRequest, IqService } from '../messaging/ports.ts';
import { PEP_TABLES } from '../pubsub/node-store.ts';
import { PersonalEvents } from '../pubsub/personal-events.ts';
import { convertAvatars } from './avatar-conversion.ts';
import { VcardService } from './vcard-service.ts';
import { VCARD_TABLES } from './vcard-store.ts';

const HASH = 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d';
const OPEN =
  "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#access_model'><value>open</value></field></x></publish-options>";
const juliet = new RecordedSession('juliet@coluc.example/balcony');
let directory: PlainDirectory;
let vcards: VcardService;
let events: PersonalEvents;

beforeEach(() => {
  directory = new PlainDirectory();
  const database = new NodeDatabase(':memory:', [VCARD_TABLES, PEP_TABLES]);
  vcards = new VcardService({ database, directory: () => directory });
  events = new PersonalEvents({
    database,
    domain: juliet.address.domain,
    post: new RecordedPost(),
    directory: () => directory,
    capabilities: { askCaps: () => Promise.resolve(undefined) },
    now: () => 0,
    newId: () => 'id',
    notes: () => undefined,
  });
  convertAvatars(vcards, events);
});

async function asked(service: IqService | undefined, request: IqRequest): Promise<string> {
  const answer = await service?.answer(request);
  if (answer === undefined || 'error' in answer) return answer?.error ?? 'no service';
  return answer.result === undefined ? '' : text(answer.result);
}

function publish(node: string, id: string, payload: string, options = OPEN): Promise<string> {
  const item = `<publish node='${node}'><item id='${id}'>${payload}</item></publish>`;
  const pubsub = `<pubsub xmlns='http://jabber.org/protocol/pubsub'>${item}${options}</pubsub>`;
  return asked(events.services[0], ownRequest(juliet, 'set', pubsub));
}

function publishData(options = OPEN): Promise<string> {
  return publish('urn:xmpp:avatar:data', HASH, "<data xmlns='urn:xmpp:avatar:data'>aGVs\nbG8=</data>", options);
}

function publishMetadata(inside: string): Promise<string> {
  return publish('urn:xmpp:avatar:metadata', HASH, `<metadata xmlns='urn:xmpp:avatar:metadata'>${inside}</metadata>`);
}

const INFO = `<info id='${HASH}' type='image/png' bytes='5'/>`;

function vcard(type: 'get' | 'set', inside = ''): Promise<string> {
  return asked(vcards, ownRequest(juliet, type, `<vCard xmlns='vcard-temp'>${inside}</vCard>`));
}

test('an avatar that is published becomes the photo of the vCard, and presence tells of it', async () => {
  await vcard('set', '<FN>Juliet</FN>');
  await publishData();
  await publishMetadata(`<info id='other' type='image/png' url='https://a.example/' bytes='9'/>${INFO}`);
  expect(await vcard('get')).toBe(
    "<vCard xmlns='vcard-temp'><FN>Juliet</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO></vCard>",
  );
  expect(directory.announced).toEqual(['juliet']);
  expect(text(vcards.outgoing(juliet, xml('<presence/>')))).toContain(HASH);
});

test('metadata without an image takes the photo away', async () => {
  await publishData();
  await publishMetadata(INFO);
  await publishMetadata('');
  expect(await vcard('get')).toBe("<vCard xmlns='vcard-temp'/>");
  expect(directory.announced).toEqual(['juliet', 'juliet']);
});

test('an avatar that is not for everybody stays out of the vCard, which is', async () => {
  await publishData('');
  await publishMetadata(INFO);
  expect(await vcard('get')).toBe("<vCard xmlns='vcard-temp'/>");
});

test.each(['whitelist', 'presence'])(
  'an avatar that only some may know of (%s) stays out of the vCard, though its data are open to whoever guesses the hash',
  async (model) => {
    await publishData();
    await publish(
      'urn:xmpp:avatar:metadata',
      HASH,
      `<metadata xmlns='urn:xmpp:avatar:metadata'>${INFO}</metadata>`,
      OPEN.replace('open', model),
    );
    expect(await vcard('get')).toBe("<vCard xmlns='vcard-temp'/>");
  },
);

test('metadata that name what is not there, or is not what they say, change nothing', async () => {
  await publishMetadata(INFO);
  await publish('urn:xmpp:avatar:data', HASH, "<data xmlns='urn:xmpp:avatar:data'>AAAA</data>");
  await publishMetadata(INFO);
  expect(await vcard('get')).toBe("<vCard xmlns='vcard-temp'/>");
});

test('a photo of the vCard is published once, for everybody, and does not come back', async () => {
  await vcard('set', '<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>');
  expect(events.configOf('juliet', 'urn:xmpp:avatar:data')?.accessModel).toBe('open');
  expect(events.item('juliet', 'urn:xmpp:avatar:data', HASH)?.payload.children).toEqual(['aGVsbG8=']);
  const metadata = events.lastItem('juliet', 'urn:xmpp:avatar:metadata');
  expect(metadata?.id).toBe(HASH);
  expect(metadata === undefined ? '' : text(metadata.payload)).toBe(
    `<metadata xmlns='urn:xmpp:avatar:metadata'><info id='${HASH}' type='image/jpeg' bytes='5'/></metadata>`,
  );
  expect(directory.announced).toEqual(['juliet']);
});

test('a vCard without its former photo says so to those who read avatars', async () => {
  await vcard('set', '<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>');
  await vcard('set', '<FN>Juliet</FN>');
  expect(events.lastItem('juliet', 'urn:xmpp:avatar:metadata')?.payload.children).toEqual([]);
});

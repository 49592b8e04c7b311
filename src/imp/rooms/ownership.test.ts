import { beforeEach, describe, expect, test } from 'vitest';
import { text } from '../../../test/support/imp-accounts.ts';
import { COVEN, RoomsOnTrial } from '../../../test/support/imp-rooms.ts';
import { element } from '../../protocol/xml/write.ts';
import { type DataForm, formIn } from '../forms/data-form.ts';
import { INSTANT_ROOM } from './config.ts';
import { readConfigForm, writeConfigForm } from './config-form.ts';
import { USUAL_LIMITS } from './limits.ts';
import { MUC } from './namespaces.ts';

const alice = 'alice@im.example/phone';
const bob = 'bob@im.example/desk';
let chat: RoomsOnTrial;

beforeEach(() => {
  chat = new RoomsOnTrial();
});

const owner = (type: 'get' | 'set', from: string, inside: string): string =>
  `<iq type='${type}' id='o' from='${from}' to='${COVEN}'><query xmlns='http://jabber.org/protocol/muc#owner'>${inside}</query></iq>`;

const submitted = (fields: Readonly<Record<string, readonly string[]>>): DataForm => ({
  type: 'submit',
  about: MUC.roomConfig,
  fields: new Map(Object.entries(fields)),
});

describe('the configuration (XEP-0045 §10.2)', () => {
  test('a form that is written is read as the same configuration', () => {
    const config = {
      ...INSTANT_ROOM,
      title: 'A Dark Cave',
      description: 'for witches',
      language: 'en-GB',
      public: false,
      persistent: true,
      password: 'cauldronburn',
      membersOnly: true,
      moderated: true,
      whois: 'anyone' as const,
      maxUsers: 33,
      allowInvites: false,
      changeSubject: true,
      privateMessages: 'moderators' as const,
      history: 7,
      archive: false,
    };
    const form = formIn(element('query', MUC.owner, {}, writeConfigForm(COVEN, config, USUAL_LIMITS)));
    if (form === undefined || form === 'malformed') throw new TypeError('no form');
    expect(readConfigForm(form, INSTANT_ROOM, USUAL_LIMITS)).toEqual(config);
  });

  test.each([
    [{ 'muc#roomconfig_passwordprotectedroom': ['1'] }, 'not-acceptable'],
    [{ 'muc#roomconfig_passwordprotectedroom': ['1'], 'muc#roomconfig_roomsecret': [' '] }, 'not-acceptable'],
    [{ 'muc#roomconfig_whois': ['nobody'] }, 'not-acceptable'],
    [{ 'muc#roomconfig_maxusers': ['0'] }, 'not-acceptable'],
    [{ 'muc#roomconfig_maxusers': ['-3'] }, 'not-acceptable'],
    [{ 'muc#roomconfig_publicroom': ['maybe'] }, 'not-acceptable'],
    [{ 'muc#roomconfig_lang': ['not a tag'] }, 'not-acceptable'],
    [{ 'muc#roomconfig_roomname': ['x'.repeat(5_000)] }, 'not-acceptable'],
    [{ 'muc#maxhistoryfetch': ['many'] }, 'not-acceptable'],
  ])('%j is not acceptable', (fields, condition) => {
    expect(readConfigForm(submitted(fields), INSTANT_ROOM, USUAL_LIMITS)).toMatchObject({ condition });
  });

  test('bounds hold, unknown fields do not matter, what is not said stays', () => {
    const config = readConfigForm(
      submitted({ 'muc#roomconfig_maxusers': ['none'], 'muc#maxhistoryfetch': ['9999'], 'x-other': ['1'] }),
      { ...INSTANT_ROOM, title: 'kept' },
      USUAL_LIMITS,
    );
    expect(config).toEqual({
      ...INSTANT_ROOM,
      title: 'kept',
      maxUsers: USUAL_LIMITS.occupants,
      history: USUAL_LIMITS.history,
    });
  });

  test('a form about something else is no configuration', () => {
    expect(readConfigForm({ ...submitted({ a: ['b'] }), about: 'other' }, INSTANT_ROOM, USUAL_LIMITS)).toMatchObject({
      condition: 'bad-request',
    });
  });

  test('only owners see and change it; a cancelled form changes nothing', () => {
    chat.open(alice, 'Alice', { roomname: 'Cave' });
    chat.enter(bob, 'Bob');
    expect(chat.hear(owner('get', bob, ''))).toEqual([`${bob} <- - iq error forbidden`]);
    expect(chat.configure(bob, { roomname: 'Mine' })).toEqual([`${bob} <- - iq error forbidden`]);
    expect(chat.hear(owner('set', alice, "<x xmlns='jabber:x:data' type='cancel'/>"))).toEqual([
      `${alice} <- - iq result`,
    ]);
    expect(chat.hear(owner('set', alice, ''))).toEqual([`${alice} <- - iq error bad-request`]);
    const [form] = chat.say(owner('get', alice, ''));
    expect(form === undefined ? '' : text(form.element)).toContain('<value>Cave</value>');
  });

  test.each([
    [{ roomname: 'Cave' }, '104'],
    [{ whois: 'anyone' }, '172'],
    [{ persistentroom: '1' }, '170 104'],
    [{ whois: 'anyone', roomdesc: 'd' }, '172 104'],
  ])('§10.2.1: %j is told to all as %s', (config, codes) => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    expect(chat.configure(alice, config)).toEqual([
      `${alice} <- - iq result`,
      `${alice} <- - groupchat ${codes}`,
      `${bob} <- - groupchat ${codes}`,
    ]);
    expect(chat.configure(alice, config)).toEqual([`${alice} <- - iq result`]);
  });

  test('§10.2.1: the way back has codes of its own', () => {
    chat.open(alice, 'Alice', { whois: 'anyone', persistentroom: '1' });
    expect(chat.configure(alice, { whois: 'moderators' })).toContain(`${alice} <- - groupchat 173`);
    expect(chat.configure(alice, { enablearchiving: '0' })).toContain(`${alice} <- - groupchat 171`);
  });

  test('§10.2: a room that becomes one for members puts the others out (322)', () => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    expect(chat.configure(alice, { membersonly: '1' })).toEqual([
      `${alice} <- - iq result`,
      `${bob} <- Bob unavailable none/none (${bob}) 322 110`,
      `${alice} <- Bob unavailable none/none (${bob}) 322`,
      `${alice} <- - groupchat 104`,
    ]);
  });

  test('who waited for voice has it when the room is not moderated any more', () => {
    chat.open(alice, 'Alice', { moderatedroom: '1' });
    chat.enter(bob, 'Bob');
    expect(chat.configure(alice, { moderatedroom: '0' })).toContain(
      `${bob} <- Bob available none/participant (${bob}) 110`,
    );
  });

  test('a persistent room that is empty ends when it becomes temporary', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.leave(alice, 'Alice');
    chat.configure(alice, { persistentroom: '0' });
    expect(chat.enter(bob, 'Bob')[0]).toContain('201');
  });
});

const end = (from: string, inside: string): readonly string[] =>
  chat.say(owner('set', from, inside)).map(({ element }) => text(element));

describe('the end of a room (XEP-0045 §10.9)', () => {
  test('everybody gets one presence, with the reason and where to go; then the owner has the result', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.enter(bob, 'Bob');
    expect(end(bob, '<destroy/>').join()).toContain('forbidden');
    const sent = end(
      alice,
      "<destroy jid='Heath@chat.example'><reason>Macbeth doth come.</reason><password>p</password></destroy>",
    );
    expect(sent).toHaveLength(3);
    expect(sent[1]).toMatch(
      /^<presence from='coven@chat.example\/Bob' to='bob@im.example\/desk' type='unavailable'><x [^>]*><item affiliation='none' role='none'\/><destroy jid='heath@chat.example'><password>p<\/password><reason>Macbeth doth come.<\/reason><\/destroy>/,
    );
    expect(sent[2]).toBe(`<iq from='coven@chat.example' to='${alice}' id='o' type='result'/>`);
    expect(chat.notes.at(-1)).toMatchObject({ note: 'room-ended', because: 'destroyed', by: 'alice@im.example' });
    chat.restart();
    expect(chat.enter(bob, 'Bob')[0]).toContain('201');
  });

  test('another room that is none is a mistake', () => {
    chat.open(alice, 'Alice');
    expect(end(alice, "<destroy jid='@'/>").join()).toContain('jid-malformed');
    expect(chat.groupchat(alice, 'still here')).toHaveLength(1);
  });
});

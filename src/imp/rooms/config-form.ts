import type { StanzaErrorCondition } from '../../protocol/stream/stanza-error.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { type DataForm, type FormField, readBoolean, valueOf, writeForm } from '../forms/data-form.ts';
import type { RoomConfig } from './config.ts';
import type { RoomLimits } from './limits.ts';
import { MUC } from './namespaces.ts';

/** RFC 5646 §2.1, roughly: what is stored is shown to clients, which know the rest. */
const LANGUAGE = /^(?:[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8})?$/;

/** The numbers of occupants that are offered. */
const SIZES = [10, 20, 50, 100, 200, 500, 1_000];

/** Why a configuration is not taken. */
export interface ConfigFault {
  readonly condition: Extract<StanzaErrorCondition, 'bad-request' | 'not-acceptable'>;
  readonly text: string;
}

/** The form that an owner fills in (XEP-0045 §10.1.3, §10.2), as the room is now. */
export function writeConfigForm(room: string, config: RoomConfig, limits: RoomLimits): XmlElement {
  const fields: readonly FormField[] = [
    text('muc#roomconfig_roomname', 'Title of the room', config.title),
    text('muc#roomconfig_roomdesc', 'Description', config.description),
    text('muc#roomconfig_lang', 'Language of the discussion', config.language),
    flag('muc#roomconfig_persistentroom', 'The room stays when its last occupant leaves', config.persistent),
    flag('muc#roomconfig_publicroom', 'The room is listed', config.public),
    flag(
      'muc#roomconfig_passwordprotectedroom',
      'A password is needed to enter the room',
      config.password !== undefined,
    ),
    {
      ...text('muc#roomconfig_roomsecret', 'The password of the room', config.password ?? ''),
      type: 'text-private',
    },
    flag('muc#roomconfig_membersonly', 'Only members can enter the room', config.membersOnly),
    flag('muc#roomconfig_moderatedroom', 'Moderators decide who may speak', config.moderated),
    choice('muc#roomconfig_whois', 'Who learns the addresses of occupants', config.whois, [
      ['moderators', 'Moderators'],
      ['anyone', 'Everybody'],
    ]),
    choice(
      'muc#roomconfig_maxusers',
      'How many occupants the room has at most',
      config.maxUsers.toString(),
      sizes(config.maxUsers, limits.occupants),
    ),
    flag(
      'muc#roomconfig_allowinvites',
      'Occupants without a privilege for it can invite; in a members-only room members can, and whoever they invite becomes a member',
      config.allowInvites,
    ),
    flag('muc#roomconfig_changesubject', 'Participants can change the subject', config.changeSubject),
    choice('muc#roomconfig_allowpm', 'Who can send private messages', config.privateMessages, [
      ['anyone', 'Everybody'],
      ['participants', 'Participants and moderators'],
      ['moderators', 'Moderators'],
      ['none', 'Nobody'],
    ]),
    text('muc#maxhistoryfetch', 'How many messages are shown to whoever enters', config.history.toString()),
    flag(
      'muc#roomconfig_enablearchiving',
      'Messages are kept in an archive, while the room is persistent',
      config.archive,
    ),
  ];
  return writeForm('form', MUC.roomConfig, fields, {
    title: `Configuration of ${room}`,
    instructions: 'What is left out stays as it is.',
  });
}

/** What a submitted form makes of a configuration: what it does not say stays as it was. */
export function readConfigForm(form: DataForm, before: RoomConfig, limits: RoomLimits): RoomConfig | ConfigFault {
  // XEP-0045 §10.1.2: an empty form takes the configuration as it is.
  if (form.about === undefined && form.fields.size === 0) return before;
  if (form.about !== MUC.roomConfig) return fault('bad-request', 'The form is no configuration of a room.');
  const reader = new FieldReader(form, limits);
  const password = reader.password(before.password);
  const config: RoomConfig = {
    title: reader.text('muc#roomconfig_roomname', before.title),
    description: reader.text('muc#roomconfig_roomdesc', before.description),
    language: reader.language('muc#roomconfig_lang', before.language),
    persistent: reader.flag('muc#roomconfig_persistentroom', before.persistent),
    public: reader.flag('muc#roomconfig_publicroom', before.public),
    password,
    membersOnly: reader.flag('muc#roomconfig_membersonly', before.membersOnly),
    moderated: reader.flag('muc#roomconfig_moderatedroom', before.moderated),
    whois: reader.choice('muc#roomconfig_whois', ['anyone', 'moderators'], before.whois),
    maxUsers: reader.size('muc#roomconfig_maxusers', before.maxUsers),
    allowInvites: reader.flag('muc#roomconfig_allowinvites', before.allowInvites),
    changeSubject: reader.flag('muc#roomconfig_changesubject', before.changeSubject),
    privateMessages: reader.choice(
      'muc#roomconfig_allowpm',
      ['anyone', 'participants', 'moderators', 'none'],
      before.privateMessages,
    ),
    history: reader.number('muc#maxhistoryfetch', before.history),
    archive: reader.flag('muc#roomconfig_enablearchiving', before.archive),
  };
  return reader.fault ?? config;
}

/** Reads field after field, and remembers the first one that is wrong. */
class FieldReader {
  private readonly form: DataForm;
  private readonly limits: RoomLimits;
  fault: ConfigFault | undefined;

  constructor(form: DataForm, limits: RoomLimits) {
    this.form = form;
    this.limits = limits;
  }

  text(name: string, before: string): string {
    const values = this.form.fields.get(name);
    if (values === undefined) return before;
    // A text of several lines can come as several values (XEP-0004 §3.3).
    const text = values.join('\n').trim();
    if (text.length > this.limits.text)
      return this.wrong(name, `is longer than ${this.limits.text} characters`, before);
    return text;
  }

  language(name: string, before: string): string {
    const text = this.text(name, before);
    return LANGUAGE.test(text) ? text : this.wrong(name, 'is no language tag, such as "en"', before);
  }

  flag(name: string, before: boolean): boolean {
    if (!this.form.fields.has(name)) return before;
    return readBoolean(valueOf(this.form, name)) ?? this.wrong(name, 'is neither 0 nor 1', before);
  }

  choice<T extends string>(name: string, choices: readonly T[], before: T): T {
    if (!this.form.fields.has(name)) return before;
    const value = valueOf(this.form, name);
    return (
      choices.find((choice) => choice === value) ?? this.wrong(name, `is not one of ${choices.join(', ')}`, before)
    );
  }

  size(name: string, before: number): number {
    if (!this.form.fields.has(name)) return before;
    const most = this.limits.occupants;
    const value = valueOf(this.form, name);
    // XEP-0045 §10.1.3: "none" is no limit but that of the service.
    const size = value === 'none' || value === '' ? most : whole(value);
    if (size === undefined || size < 1) return this.wrong(name, 'is no number of occupants', before);
    return Math.min(size, most);
  }

  number(name: string, before: number): number {
    if (!this.form.fields.has(name)) return before;
    const number = whole(valueOf(this.form, name));
    return number === undefined
      ? this.wrong(name, 'is no number of messages', before)
      : Math.min(number, this.limits.history);
  }

  password(before: string | undefined): string | undefined {
    const secret = this.text('muc#roomconfig_roomsecret', before ?? '');
    if (!this.flag('muc#roomconfig_passwordprotectedroom', before !== undefined)) return undefined;
    // XEP-0045 §10.1.3: a blank password is not acceptable.
    return secret === '' ? this.wrong('muc#roomconfig_roomsecret', 'is empty', before) : secret;
  }

  private wrong<T>(name: string, because: string, before: T): T {
    this.fault ??= fault('not-acceptable', `${name} ${because}.`);
    return before;
  }
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text.trim()) ? Number(text) : undefined;
}

function fault(condition: ConfigFault['condition'], text: string): ConfigFault {
  return { condition, text };
}

function sizes(now: number, most: number): readonly (readonly [string, string])[] {
  const offered = new Set([...SIZES.filter((size) => size <= most), now, most]);
  return [...offered].sort((a, b) => a - b).map((size) => [size.toString(), size.toString()]);
}

function text(name: string, label: string, value: string): FormField {
  return { name, type: 'text-single', label, values: [value] };
}

function flag(name: string, label: string, value: boolean): FormField {
  return { name, type: 'boolean', label, values: [value ? '1' : '0'] };
}

function choice(
  name: string,
  label: string,
  value: string,
  options: readonly (readonly [value: string, label: string])[],
): FormField {
  return {
    name,
    type: 'list-single',
    label,
    values: [value],
    options: options.map(([each, words]) => ({ value: each, label: words })),
  };
}

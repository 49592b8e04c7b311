import type { XmlElement } from '../../protocol/xml/types.ts';
import type { DataForm, FormField } from '../forms/data-form.ts';
import { readBoolean, writeForm } from '../forms/data-form.ts';

/** Items that a node may have at most: what `max` means (XEP-0060 §16.4.4). */
export const MOST_ITEMS = 1_000;

/** UTF-16 units of a title or a type. */
const LONGEST_TEXT = 256;

/** Who may see a node (XEP-0060 §4.5): everybody, who sees the owner's presence, or the owner alone. */
export type AccessModel = 'open' | 'presence' | 'whitelist';

/** The configuration of a node (XEP-0060 §16.4.4), as far as PEP has use for it. */
export interface NodeConfig {
  readonly accessModel: AccessModel;
  readonly maxItems: number;
  /** Items stay; without it they are told and forgotten. */
  readonly persistItems: boolean;
  readonly sendLastPublishedItem: 'never' | 'on_sub' | 'on_sub_and_presence';
  readonly deliverNotifications: boolean;
  readonly deliverPayloads: boolean;
  readonly notifyDelete: boolean;
  readonly notifyRetract: boolean;
  readonly title: string;
  readonly type: string;
}

/** XEP-0163 §6, XEP-0060 §16.4.4. */
export const USUAL_CONFIG: NodeConfig = {
  accessModel: 'presence',
  maxItems: 1,
  persistItems: true,
  sendLastPublishedItem: 'on_sub_and_presence',
  deliverNotifications: true,
  deliverPayloads: true,
  notifyDelete: true,
  notifyRetract: true,
  title: '',
  type: '',
};

/** One setting as a field of a form. */
interface Setting {
  readonly field: Omit<FormField, 'values'>;
  readonly write: (config: NodeConfig) => string;
  /** The configuration with the setting changed; `undefined`: the text makes no sense. */
  readonly read: (config: NodeConfig, text: string) => NodeConfig | undefined;
}

const ACCESS_MODELS: readonly AccessModel[] = ['open', 'presence', 'whitelist'];
const SEND_LAST = ['never', 'on_sub', 'on_sub_and_presence'] as const;

/** What anybody may know of a node who may see it. */
const PUBLIC_SETTINGS: readonly Setting[] = [
  text('title', 'pubsub#title', 'A name for the node'),
  text('type', 'pubsub#type', 'The namespace of the payloads'),
  {
    field: choice('pubsub#access_model', 'Who may subscribe and retrieve items', ACCESS_MODELS),
    write: ({ accessModel }) => accessModel,
    read: (config, value) => {
      const accessModel = ACCESS_MODELS.find((model) => model === value);
      return accessModel === undefined ? undefined : { ...config, accessModel };
    },
  },
  {
    field: { name: 'pubsub#max_items', type: 'text-single', label: 'The most items that are kept' },
    write: ({ maxItems }) => maxItems.toString(),
    read: (config, value) => {
      const maxItems = value === 'max' ? MOST_ITEMS : countOf(value);
      return maxItems === undefined ? undefined : { ...config, maxItems };
    },
  },
  boolean('persistItems', 'pubsub#persist_items', 'Whether items are kept'),
];

const SETTINGS: readonly Setting[] = [
  ...PUBLIC_SETTINGS,
  {
    field: choice('pubsub#send_last_published_item', 'When the last item is sent', SEND_LAST),
    write: ({ sendLastPublishedItem }) => sendLastPublishedItem,
    read: (config, value) => {
      const sendLastPublishedItem = SEND_LAST.find((when) => when === value);
      return sendLastPublishedItem === undefined ? undefined : { ...config, sendLastPublishedItem };
    },
  },
  boolean('deliverNotifications', 'pubsub#deliver_notifications', 'Whether events are told'),
  boolean('deliverPayloads', 'pubsub#deliver_payloads', 'Whether the payload is told with an event'),
  boolean('notifyDelete', 'pubsub#notify_delete', 'Whether it is told that the node was deleted'),
  boolean('notifyRetract', 'pubsub#notify_retract', 'Whether it is told that items were retracted'),
];
const NAMES: ReadonlySet<string> = new Set(SETTINGS.map(({ field }) => field.name));

/** The configuration as a form for its owner (XEP-0060 §8.2). */
export function configForm(config: NodeConfig): XmlElement {
  return writeForm('form', 'http://jabber.org/protocol/pubsub#node_config', fieldsOf(config, SETTINGS));
}

/** What anybody may know of a node who may see it (XEP-0060 §5.4). */
export function metaDataForm(config: NodeConfig): XmlElement {
  return writeForm('result', 'http://jabber.org/protocol/pubsub#meta-data', fieldsOf(config, PUBLIC_SETTINGS));
}

/** The configuration with what a form changes of it; fields that nobody knows are left alone. `undefined`: a value makes no sense. */
export function configured(config: NodeConfig, { fields }: Pick<DataForm, 'fields'>): NodeConfig | undefined {
  let changed: NodeConfig | undefined = config;
  for (const { field, read } of SETTINGS) {
    const [value, more] = fields.get(field.name) ?? [];
    if (value === undefined || changed === undefined) continue;
    changed = more === undefined ? read(changed, value) : undefined;
  }
  return changed;
}

/** Whether every field of a form is one that a node has: publish-options with others are refused (XEP-0060 §7.1.5). */
export function isKnown({ fields }: DataForm): boolean {
  return [...fields.keys()].every((name) => NAMES.has(name));
}

/** Whether two configurations say the same. */
export function isSame(one: NodeConfig, other: NodeConfig): boolean {
  return SETTINGS.every(({ write }) => write(one) === write(other));
}

/** For the database. */
export function storedConfig(config: NodeConfig): string {
  return JSON.stringify(Object.fromEntries(SETTINGS.map(({ field, write }) => [field.name, write(config)])));
}

/** What `storedConfig` has written; what is not to be read is as usual. */
export function readStoredConfig(json: string): NodeConfig {
  const values: unknown = JSON.parse(json);
  const fields = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(values ?? {})) fields.set(name, [String(value)]);
  return configured(USUAL_CONFIG, { fields }) ?? USUAL_CONFIG;
}

function fieldsOf(config: NodeConfig, settings: readonly Setting[]): readonly FormField[] {
  return settings.map(({ field, write }) => ({ ...field, values: [write(config)] }));
}

function boolean(
  key: 'persistItems' | 'deliverNotifications' | 'deliverPayloads' | 'notifyDelete' | 'notifyRetract',
  name: string,
  label: string,
): Setting {
  return {
    field: { name, type: 'boolean', label },
    write: (config) => (config[key] ? '1' : '0'),
    read: (config, value) => {
      const isSet = readBoolean(value);
      return isSet === undefined ? undefined : { ...config, [key]: isSet };
    },
  };
}

function text(key: 'title' | 'type', name: string, label: string): Setting {
  return {
    field: { name, type: 'text-single', label },
    write: (config) => config[key],
    read: (config, value) => (value.length <= LONGEST_TEXT ? { ...config, [key]: value } : undefined),
  };
}

function choice(name: string, label: string, values: readonly string[]): Setting['field'] {
  return { name, type: 'list-single', label, options: values.map((value) => ({ value })) };
}

function countOf(digits: string): number | undefined {
  const count = /^\d{1,6}$/.test(digits) ? Number(digits) : 0;
  return count >= 1 && count <= MOST_ITEMS ? count : undefined;
}

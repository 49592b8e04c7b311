import fc from 'fast-check';
import { expect, test } from 'vitest';
import { text, xml } from '../../../test/support/imp-accounts.ts';
import { type DataForm, readForm } from '../forms/data-form.ts';
import {
  configForm,
  configured,
  isKnown,
  isSame,
  metaDataForm,
  readStoredConfig,
  storedConfig,
  USUAL_CONFIG,
} from './node-config.ts';

function form(fields: Readonly<Record<string, readonly string[]>>): DataForm {
  return { type: 'submit', about: undefined, fields: new Map(Object.entries(fields)) };
}

test('a form changes what it names, and leaves the rest', () => {
  const wanted = form({ 'pubsub#access_model': ['open'], 'pubsub#max_items': ['max'], 'pubsub#unheard_of': ['1'] });
  expect(configured(USUAL_CONFIG, wanted)).toEqual({ ...USUAL_CONFIG, accessModel: 'open', maxItems: 1_000 });
});

test.each([
  { 'pubsub#access_model': ['authorize'] },
  { 'pubsub#access_model': ['open', 'presence'] },
  { 'pubsub#max_items': ['0'] },
  { 'pubsub#max_items': ['1001'] },
  { 'pubsub#max_items': ['-1'] },
  { 'pubsub#persist_items': ['perhaps'] },
  { 'pubsub#send_last_published_item': ['often'] },
  { 'pubsub#title': ['x'.repeat(300)] },
])('a form with %j makes no sense', (fields) => {
  expect(configured(USUAL_CONFIG, form(fields))).toBeUndefined();
});

test('only fields that a node has are known', () => {
  expect(isKnown(form({ 'pubsub#access_model': ['open'] }))).toBe(true);
  expect(isKnown(form({ 'pubsub#access_model': ['open'], 'pubsub#roster_groups_allowed': [] }))).toBe(false);
});

test('a configuration that was offered, or kept, is the same when it comes back', () => {
  const config = fc.record({
    accessModel: fc.constantFrom('open' as const, 'presence' as const, 'whitelist' as const),
    maxItems: fc.integer({ min: 1, max: 1_000 }),
    persistItems: fc.boolean(),
    sendLastPublishedItem: fc.constantFrom('never' as const, 'on_sub' as const, 'on_sub_and_presence' as const),
    deliverNotifications: fc.boolean(),
    deliverPayloads: fc.boolean(),
    notifyDelete: fc.boolean(),
    notifyRetract: fc.boolean(),
    title: fc.string({ maxLength: 20 }),
    type: fc.string({ maxLength: 20 }),
  });
  fc.assert(
    fc.property(config, (wanted) => {
      expect(readStoredConfig(storedConfig(wanted))).toEqual(wanted);
      const offered = readForm(configForm(wanted));
      expect(offered === 'malformed' ? undefined : configured(USUAL_CONFIG, offered)).toEqual(wanted);
      expect(isSame(wanted, { ...wanted })).toBe(true);
    }),
  );
});

test('what was kept and cannot be read is as usual', () => {
  expect([readStoredConfig('null'), readStoredConfig('{"pubsub#max_items":"x"}')]).toEqual([
    USUAL_CONFIG,
    USUAL_CONFIG,
  ]);
});

test('the data about a node have its name, and not how it tells', () => {
  const shown = text(metaDataForm({ ...USUAL_CONFIG, title: 'Tunes' }));
  expect(shown).toContain('<value>Tunes</value>');
  expect(shown).not.toContain('notify');
  expect(readForm(xml(shown))).toMatchObject({ about: 'http://jabber.org/protocol/pubsub#meta-data' });
});

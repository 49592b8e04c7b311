import { describe, expect, test } from 'vitest';
import type { Severity } from '../protocol/notes.ts';
import type { LogLevels } from './levels.ts';
import { isWithin, levelOf, levelsByNote, MODULE_NAMES } from './levels.ts';

const levels = (modules: Readonly<Record<string, Severity>>): LogLevels => ({
  level: 'info',
  modules: new Map(Object.entries(modules)),
});

describe('levelOf', () => {
  test('is the general level without anything else', () => {
    expect(levelOf('s2s.dialback', levels({}))).toBe('info');
  });

  test('takes the most specific name', () => {
    const some = levels({ s2s: 'debug', 's2s.dialback': 'verbose', dns: 'error' });
    expect(levelOf('s2s.dialback', some)).toBe('verbose');
    expect(levelOf('s2s.tls', some)).toBe('debug');
    expect(levelOf('dns', some)).toBe('error');
    expect(levelOf('routing', some)).toBe('info');
  });

  test("knows the reference system's name for federation, and prefers ours", () => {
    const some = levels({ 'developer.xcp.federation': 'debug', dns: 'warning' });
    expect(levelOf('s2s.dialback', some)).toBe('debug');
    expect(levelOf('routing', some)).toBe('debug');
    expect(levelOf('dns', some)).toBe('warning');
    expect(levelOf('config', some)).toBe('info');
  });
});

test('levelsByNote gives each note the level of its module', () => {
  const byNote = levelsByNote(levels({ 's2s.dialback': 'verbose' }));
  expect(byNote['dialback-sent']).toBe('verbose');
  expect(byNote['accepted']).toBe('info');
});

test('MODULE_NAMES has every module, the names above them and the name of the reference system, each once', () => {
  expect(MODULE_NAMES).toEqual(expect.arrayContaining(['s2s', 's2s.dialback', 'dns', 'developer.xcp.federation']));
  expect(new Set(MODULE_NAMES).size).toBe(MODULE_NAMES.length);
});

test('isWithin orders severities from the most to the least urgent', () => {
  expect(isWithin('error', 'warning')).toBe(true);
  expect(isWithin('warning', 'warning')).toBe(true);
  expect(isWithin('info', 'warning')).toBe(false);
});

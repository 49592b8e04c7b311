import fc from 'fast-check';
import { expect, describe as group, test } from 'vitest';
import type { StreamEnd } from '../protocol/end.ts';
import type { TlsFacts } from '../protocol/identity/facts.ts';
import type { Note, NoteSubject } from '../protocol/notes.ts';
import { SEVERITIES } from '../protocol/notes.ts';
import { describe, NOTE_NAMES, ROWS, severityOf } from './describe.ts';
import { isWithin } from './levels.ts';
import type { LogFormat } from './log.ts';
import { LOG_FORMATS, Log } from './log.ts';
import type { NoteName, NoteOf } from './row.ts';
import { MODULES } from './row.ts';

/** One note of every kind, with `text` wherever words of somebody else can be. Complete by its type. */
function everyNote(text: string): readonly Note[] {
  const end: StreamEnd = { by: 'them', condition: 'host-unknown', text };
  const tls: TlsFacts = {
    version: text,
    cipher: text,
    peer: {
      names: [
        { kind: 'dns', value: text },
        { kind: 'srv', value: text },
        { kind: 'xmpp', value: text },
      ],
      untrusted: text,
      subject: text,
      issuer: text,
      fingerprint: 'ab'.repeat(32),
      notBefore: 0,
      notAfter: Number.MAX_VALUE,
    },
  };
  const notes: { readonly [N in NoteName]: Omit<NoteOf<N>, 'note'> } = {
    accepted: {},
    'header-received': { xml: text, streamId: text },
    'header-sent': { xml: text, streamId: text },
    'element-received': { xml: text },
    'element-sent': { xml: text },
    secured: { tls },
    'not-secured': { detail: text },
    'external-offered': {},
    'external-not-offered': { because: text },
    'external-succeeded': {},
    'external-failed': { condition: text, text },
    'stream-ready': {},
    'state-changed': { from: 'pending', to: 'connected' },
    authorized: { sender: text, target: text, by: 'dialback' },
    refused: { sender: text, target: text, because: end },
    'stream-error-sent': { condition: 'invalid-from', text },
    'stream-error-received': { condition: 'invalid-from', text },
    'closed-by-administrator': { reason: text },
    ended: { end, stanzasIn: 1, stanzasOut: 1234 },
    ignored: { what: text },
    'imp-axl-request': { user: text, function: text, status: 500, milliseconds: 1, because: text },
    'imp-axl-statement': { user: text, sql: text },
    'imp-axl-login-refused': { user: text, because: text },
    'imp-axl-login-storm': { of: 'source', name: text },
    'imp-axl-throttled': { user: text, because: text },
    'imp-axl-not-secured': { detail: text },
    'imp-shell-command': { author: text, command: text },
    'imp-capture-started': { author: text, file: text, source: text },
    'imp-capture-ended': { file: text, packets: 1, bytes: 1, left: 1, because: text },
    'imp-user-changed': { user: text, what: 'added', author: text },
    'imp-administrator-changed': { name: text, what: 'added', role: text, author: text },
    'imp-federation-changed': { from: 'off', to: 'on', author: text },
    'imp-notification-raised': { id: text, text, cure: text },
    'imp-notification-cleared': { id: text },
    'imp-edges-changed': { added: [text], removed: [text] },
    'xcp-router-read': { cpIds: [text], author: text },
    'xcp-row-unusable': { cpId: text },
    'xcp-component-connected': { cpId: text, inTable: true },
    'xcp-component-lost': { cpId: text, because: end },
    'foreign-bounced': { kind: text, sender: text, target: text, because: text },
    'foreign-refused': { cpId: text, kind: text, because: text },
    'router-full': { waiting: 1234 },
    'alarm-raised': { id: 25023, title: text, about: text, what: text, detail: text, cause: text, cure: text },
    'alarm-cleared': { id: 25023, title: text, about: text, seconds: 12 },
    'publisher-ledger': { problem: `Cannot write ${text}` },
    'publisher-left': { publisher: text, left: [text] },
    'dialback-sent': { xml: text, timeoutSeconds: 30 },
    'dialback-requested': { xml: text },
    'dialback-answered': { xml: text },
    'dialback-answer-received': { xml: text },
    'verify-sent': { xml: text, forConnection: text },
    'verify-answer-received': { xml: text, forConnection: text },
    'verify-requested': { xml: text },
    'verify-answered': { xml: text, because: text },
    'verify-stream-closing': {},
    'lookup-started': { domain: text, ascii: text, service: text },
    'lookup-finished': {
      domain: text,
      method: 'SRV',
      targets: [{ address: text, directTls: true }],
      seconds: { total: 0.1, srv: 0.05 },
    },
    'lookup-failed': { domain: text, stage: 'dns', detail: text },
    connecting: { host: text, address: text },
    connected: { address: text, seconds: 0.01 },
    'connect-failed': { address: text, detail: text },
    queued: { stanzas: 1 },
    flushed: { stanzas: 2 },
    bounced: { kind: text, condition: 'remote-server-not-found', because: text, stanzas: 3 },
    dropped: { kind: text, because: text },
    'backing-off': { seconds: 60, because: { by: 'network', stage: 'tcp', detail: text } },
    'link-invited': { box: text, domains: [text], until: 0 },
    'link-joined': { box: text, certificateUntil: 0 },
    'link-join-refused': { because: text },
    'link-up': { box: text, resumed: true, tls: { version: text, cipher: text }, certificateUntil: 0, waiting: 1 },
    'link-down': { box: text, because: { by: 'disconnect', detail: text }, waiting: 2 },
    'link-unreachable': { box: text, detail: text },
    'link-given-up': { box: text, detail: text, stanzas: 3, inDoubt: 1 },
    'link-refused': { because: text, box: text },
    'link-certificate-renewed': { box: text, until: 0 },
    'link-certificate-not-renewed': { box: text, detail: text, until: 0 },
    'link-revoked': { box: text, by: 'us', stanzas: 4 },
    'link-home-refused': { box: text, domain: text, because: text },
    'link-storage': { detail: text },
    'axl-sent': { publisher: text, url: text, function: text, version: text, sql: text, routine: false },
    'axl-answered': { publisher: text, url: text, function: text, version: text, rows: 1, seconds: 0.1 },
    'axl-failed': {
      publisher: text,
      url: text,
      function: text,
      version: text,
      status: 401,
      reason: text,
      problem: { code: text, sentence: text, cause: text, cure: text },
    },
    'axl-table-changed': { publisher: text, inserted: [text], removed: [text] },
    steered: { question: text, client: text, answer: text },
    'config-changed': {
      key: text,
      from: text,
      to: undefined,
      by: { revision: 12, author: text, reason: text },
      box: text,
      reference: { name: text, from: text, to: text },
    },
    'config-left-out': { key: text, because: text },
    'replica-replaced': { box: text, revision: 12, entries: 3 },
    'replica-skipped': { box: text, key: text, because: text },
    'replica-broken': { box: text, because: text },
    'proposal-declined': { box: text, author: text, problems: [text, text] },
    'replication-step': { box: text, way: 'sent', step: 'change', revision: 12 },
    'roster-full': { account: text, what: 'items', limit: 2000 },
    'messages-undelivered': { account: text, moved: 1, kept: 2, returned: 0 },
    'room-created': { room: text, by: text },
    'room-ended': { room: text, because: 'destroyed', by: text },
    'room-refused': { room: text, by: text, because: text },
    'room-ghost': { room: text, occupant: text, condition: text },
    'room-flood': { room: text, from: text, what: 'messages' },
    'room-not-stored': { room: text, detail: text },
    starting: { version: text, role: text, config: text },
    listening: { what: text, address: text },
    'listen-failed': { what: text, address: text, detail: text },
    'connection-refused': { because: text },
    'config-loaded': { path: text, homes: [text] },
    'config-refused': { path: text, problems: [text, text] },
    'certificate-loaded': { domains: [text], path: text, notAfter: Number.NaN },
    'certificate-refused': { detail: text },
    'certificate-doubtful': { detail: text },
    'certificate-expiring': { path: text, days: 10 },
    'component-connected': { domain: text },
    'component-lost': { domain: text, detail: text },
    'admin-asked': { author: text, what: text },
    'admin-unavailable': { path: text, detail: text },
    draining: { streams: 3 },
    stopped: {},
    bug: { where: text, detail: text },
    'client-connected': { transport: 'WebSocket' },
    'client-secured': { version: text, cipher: text },
    'client-element': { sent: true, xml: text },
    'client-authenticated': { username: text, mechanism: text },
    'client-not-authenticated': { username: text, mechanism: text, condition: text, why: text },
    'client-braked': { what: 'account', name: text, failures: 50, seconds: 600 },
    'client-bound': { address: text },
    'client-away': { address: text, seconds: 120 },
    'client-resumed': { address: text, again: 2 },
    'client-session-ended': { address: text, undelivered: 2 },
    'client-overflow': { address: text, bytes: 1234 },
    'client-gone': { end, stanzasIn: 1, stanzasOut: 1234 },
    'client-ignored': { what: text },
    'client-refused': { because: text },
    'client-websocket-refused': { because: text },
  };
  return Object.entries(notes).map(([note, rest]) => ({ note, ...rest }) as Note);
}

function subjectOf(text: string): NoteSubject {
  return { connection: text, direction: 'in', side: 'foreign', local: text, remote: text, peer: text };
}

/** The lines of every kind of note, in one format. */
function linesOf(format: LogFormat, text: string, colors = false): readonly string[] {
  const lines: string[] = [];
  const log = new Log(
    { format, level: 'verbose', modules: new Map() },
    {
      write: (line) => lines.push(line),
      now: () => 1_795_000_000_000,
      later: () => undefined,
      pid: 4711,
      colors,
    },
  );
  for (const note of everyNote(text)) {
    log.note(note, subjectOf(text));
    log.note(note, {});
  }
  return lines;
}

/** Anything that ends a line, moves a cursor, turns the direction of writing or cannot be seen. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/u;

const HOSTILE = [
  'vngtp.lab\n2026-11-22T18:00:00.000Z INFO  everything is fine',
  'a\r\nb',
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31m',
  '\u202Emoc.live\u202C',
  '\u2066abc\u2069',
  '\u2028\u2029\u0085\u000b\u000c',
  '\0',
  '\uFEFF\u200B\u200D\u00AD',
  '\uD800 alone',
  '\u{E0041}\u{E007F}',
  '", "level": "info", "message": "forged',
  '\\" \\n \\u0041',
  '%s %d {{x}} ${y}',
  'x'.repeat(100_000),
  '\u202E'.repeat(100_000),
  '\u{1F600}'.repeat(50_000),
  '<'.repeat(50_000),
  '<handshake>'.repeat(5_000),
  '__proto__',
];

group('every note', () => {
  test('has a row, a known module and a complete sentence', () => {
    const notes = everyNote('something');
    expect(notes.map(({ note }) => note).sort()).toEqual([...NOTE_NAMES].sort());
    for (const note of notes) {
      const { sentence, module } = describe(note, { remote: 'vngtp.lab' });
      expect(MODULES).toContain(module);
      expect(`${note.note}: ${sentence}`).toMatch(/^[a-z-]+: (?:[A-Z1-9]|vngtp\.lab |something is |fedway ).*\.$/u);
      expect(`${note.note}: ${sentence}`).not.toMatch(/undefined|NaN|\.\.|\[object/u);
    }
  });

  test('reads as a sentence when nothing is known of the peer yet', () => {
    for (const note of everyNote('something')) {
      expect(`${note.note}: ${describe(note, {}).sentence}`).not.toMatch(/undefined|\[object/u);
    }
  });

  test('is never more urgent than its row says, so that the static table may decide first', () => {
    for (const note of everyNote('something')) {
      for (const side of ['foreign', 'home'] as const) {
        const severity = severityOf(note, { side });
        expect([note.note, isWithin(ROWS[note.note].severity, severity)]).toEqual([note.note, true]);
        expect(SEVERITIES).toContain(severity);
      }
    }
  });
});

group('log injection', () => {
  test.each(LOG_FORMATS)('%s: hostile text stays inside its line, is visible and is bounded', (format) => {
    const expected = linesOf(format, 'plain').length;
    for (const text of HOSTILE) {
      const lines = linesOf(format, text);
      expect(lines.length).toBe(expected);
      for (const line of lines) {
        expect(line).not.toMatch(UNSAFE);
        expect(line.isWellFormed()).toBe(true);
        expect(line.length).toBeLessThan(80_000);
      }
    }
  });

  test.each(LOG_FORMATS)('%s: no text at all can make an unsafe or an additional line', (format) => {
    const expected = linesOf(format, 'plain').length;
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const lines = linesOf(format, text);
        expect(lines.length).toBe(expected);
        for (const line of lines) expect(line).not.toMatch(UNSAFE);
      }),
      { numRuns: 60 },
    );
  });

  test('text: the only escape sequences of a colored line are our own', () => {
    for (const text of HOSTILE) {
      for (const line of linesOf('text', text, true)) {
        // oxlint-disable-next-line no-control-regex -- SGR is what is looked for
        expect(line.replaceAll(/\u001b\[\d*m/g, '')).not.toMatch(UNSAFE);
        expect(line.match(/\u001b/g)?.length ?? 0).toBeLessThanOrEqual(4);
      }
    }
  });

  test('json: every line is one object whose own members cannot be replaced by a peer', () => {
    for (const text of HOSTILE) {
      for (const line of linesOf('json', text)) {
        const record = JSON.parse(line) as Record<string, unknown>;
        expect(NOTE_NAMES).toContain(record['code']);
        expect(MODULES).toContain(record['module']);
        expect(Object.keys(record)).toEqual([...new Set(Object.keys(record))]);
        expect(Object.keys(record).slice(0, 4)).toEqual(['time', 'level', 'module', 'code']);
      }
    }
  });

  test('json: what a reader decodes is the text the peer sent', () => {
    const line = linesOf('json', 'a\u202Eb"\\\u{E0041}').find((each) => each.includes('"code":"ignored"'));
    expect(JSON.parse(line ?? '')).toMatchObject({ remote: 'a\u202Eb"\\\u{E0041}' });
    expect(line).toContain('a\\u202eb');
  });

  test('expressway: quotes of a peer do not end the attribute that they are in', () => {
    for (const text of HOSTILE) {
      for (const line of linesOf('expressway', text)) {
        expect(line).toMatch(
          /^\S+ fedway\[4711\]: Module="[a-z0-9.]+" Level="[A-Z]{4,5} ?"(?: [A-Z][A-Za-z]+="(?:[^"\\]|\\.)*")+$/,
        );
      }
    }
  });
});

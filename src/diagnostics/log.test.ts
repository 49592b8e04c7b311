import { describe, expect, test } from 'vitest';
import type { Note, NoteSubject, Severity } from '../protocol/notes.ts';
import { SEVERITIES } from '../protocol/notes.ts';
import type { LogFormat, LogSettings } from './log.ts';
import { Log } from './log.ts';
import { LINES_PER_SECOND } from './storm.ts';

const PAIR: NoteSubject = {
  connection: '34A9B60C8',
  direction: 'out',
  side: 'foreign',
  local: 'coluc.com',
  remote: 'vngtp.lab',
};
const IGNORED: Note = { note: 'ignored', what: 'an answer that nobody asked for' };

/** A log over a clock that only the test moves. */
class Bench {
  readonly lines: string[] = [];
  readonly log: Log;
  now = Date.UTC(2026, 10, 22, 18);
  readonly #timers: { readonly at: number; readonly ring: () => void }[] = [];

  constructor(settings: Partial<LogSettings> = {}) {
    this.log = new Log(
      { format: 'json', level: 'info', modules: new Map(), ...settings },
      {
        write: (line) => this.lines.push(line),
        now: () => this.now,
        later: (milliseconds, then) => this.#timers.push({ at: this.now + milliseconds, ring: then }),
        pid: 4711,
        colors: false,
      },
    );
  }

  get records(): readonly Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const timer of this.#timers.splice(0)) {
      if (timer.at <= this.now) timer.ring();
      else this.#timers.push(timer);
    }
  }
}

/** The same note again and again, at one moment. */
function storm(bench: Bench, times: number, subject: NoteSubject): void {
  for (let index = 0; index < times; index++) bench.log.note(IGNORED, subject);
}

describe('levels', () => {
  const byUrgency: readonly (readonly [Severity, Note])[] = [
    ['error', { note: 'config-refused', path: 'fedway.yaml', problems: ['x'] }],
    ['warning', IGNORED],
    ['info', { note: 'stopped' }],
    ['debug', { note: 'stream-ready' }],
    ['verbose', { note: 'element-sent', xml: '<x/>' }],
  ];

  test.each(SEVERITIES)('%s writes what is at least as urgent and nothing else', (level) => {
    const bench = new Bench({ level });
    for (const [, note] of byUrgency) bench.log.note(note, PAIR);
    expect(bench.records.map((record) => record['level'])).toEqual(SEVERITIES.slice(0, SEVERITIES.indexOf(level) + 1));
  });

  test('a module has a level of its own, and the most specific name wins', () => {
    const bench = new Bench({
      level: 'error',
      modules: new Map([
        ['s2s', 'warning'],
        ['s2s.stream', 'verbose'],
      ]),
    });
    bench.log.note({ note: 'stream-ready' }, PAIR);
    bench.log.note({ note: 'external-offered' }, PAIR);
    bench.log.note({ note: 'external-failed', condition: 'not-authorized', text: undefined }, PAIR);
    bench.log.note({ note: 'backing-off', seconds: 60, because: { by: 'close' } }, PAIR);
    expect(bench.records.map((record) => record['code'])).toEqual(['stream-ready', 'external-failed']);
  });

  test('a note that turns out less urgent than its row is judged by what it is', () => {
    const bench = new Bench({ level: 'warning' });
    bench.log.note({ note: 'ended', end: { by: 'close' }, stanzasIn: 0, stanzasOut: 0 }, PAIR);
    bench.log.note({ note: 'ended', end: { by: 'disconnect' }, stanzasIn: 0, stanzasOut: 0 }, PAIR);
    expect(bench.records).toMatchObject([{ end: 'disconnect', level: 'warning' }]);
  });

  test('change at run time, and can be given back', () => {
    const bench = new Bench();
    bench.log.note({ note: 'stream-ready' }, PAIR);
    bench.log.setLevel('s2s.stream', 'debug');
    bench.log.note({ note: 'stream-ready' }, PAIR);
    bench.log.setLevel('s2s.stream', undefined);
    bench.log.note({ note: 'stream-ready' }, PAIR);
    expect(bench.lines).toHaveLength(1);
    expect(bench.log.settings.modules.size).toBe(0);
  });

  test('configure changes the format too', () => {
    const bench = new Bench();
    bench.log.configure({ format: 'text', level: 'info', modules: new Map() });
    bench.log.note({ note: 'stopped' }, {});
    expect(bench.lines[0]).toMatch(/^\S+ INFO /);
  });

  test('a note whose level is off is not even looked into', () => {
    const bench = new Bench({ level: 'info' });
    const untouchable = {
      note: 'element-received',
      get xml(): string {
        throw new Error('looked into');
      },
    } as const;
    expect(() => bench.log.note(untouchable, PAIR)).not.toThrow();
  });
});

describe('lines', () => {
  test('json: field names are stable and in order', () => {
    const bench = new Bench();
    bench.log.note(
      { note: 'ended', end: { by: 'network', stage: 'tls', detail: 'handshake failure' }, stanzasIn: 3, stanzasOut: 4 },
      { ...PAIR, peer: '192.0.2.20:5269' },
    );
    const [record = {}] = bench.records;
    expect(Object.keys(record)).toEqual([
      'time',
      'level',
      'module',
      'code',
      'connection',
      'direction',
      'side',
      'local',
      'remote',
      'peer',
      'message',
      'end',
      'stanzas_in',
      'stanzas_out',
    ]);
    expect(record).toMatchObject({ end: 'network-tls', code: 'ended', time: '2026-11-22T18:00:00.000Z' });
  });

  test('E-11: a stream error received is one record with direction, peer, domains, condition and text', () => {
    const bench = new Bench();
    bench.log.note(
      { note: 'stream-error-received', condition: 'host-unknown', text: 'no such host' },
      { ...PAIR, peer: '192.0.2.20:5269' },
    );
    expect(bench.records).toMatchObject([
      { direction: 'out', peer: '192.0.2.20:5269', local: 'coluc.com', remote: 'vngtp.lab', condition: 'host-unknown' },
    ]);
    expect(bench.records[0]?.['message']).toContain('"no such host"');
  });

  test.each(['text', 'json', 'expressway'] as const)(
    'J-20: %s shows the A-label beside a domain that is not ASCII',
    (format) => {
      const bench = new Bench({ format });
      bench.log.note({ note: 'verify-stream-closing' }, { ...PAIR, remote: 'bücher.example' });
      bench.log.note(
        { note: 'connected', address: '192.0.2.1:5269', seconds: 1 },
        { ...PAIR, remote: 'bücher.example' },
      );
      for (const line of bench.lines) expect(line).toMatch(/xn--bcher-kva\.example/);
    },
  );

  test.each(['text', 'json', 'expressway'] as const)(
    '%s never shows the handshake of a component',
    (format: LogFormat) => {
      const bench = new Bench({ format, level: 'verbose' });
      bench.log.note({ note: 'element-received', xml: '<handshake>aabbcc</handshake>' }, PAIR);
      bench.log.note({ note: 'element-sent', xml: '<handshake>aabbcc</handshake>' }, PAIR);
      expect(bench.lines).toHaveLength(2);
      for (const line of bench.lines) {
        expect(line).not.toContain('aabbcc');
        expect(line).toContain('[6 bytes masked]');
      }
    },
  );
});

describe('storms', () => {
  test('the same line about the same remote is folded, and counted when the second is over', () => {
    const bench = new Bench();
    storm(bench, 1244, PAIR);
    expect(bench.lines).toHaveLength(LINES_PER_SECOND);
    bench.pass(1000);
    expect(bench.records.at(-1)).toMatchObject({
      code: 'ignored',
      module: 's2s.stream',
      level: 'warning',
      repeated: 1234,
      about: 'vngtp.lab',
    });
    expect(bench.records.at(-1)?.['message']).toContain('Repeated 1,234 times');
    bench.pass(5000);
    expect(bench.lines).toHaveLength(LINES_PER_SECOND + 1);
  });

  test('the count is also told by the next note, and by flush', () => {
    const bench = new Bench();
    storm(bench, LINES_PER_SECOND + 2, PAIR);
    bench.now += 1000;
    bench.log.note({ note: 'bug', where: 'x', detail: 'y' }, {});
    expect(bench.records.slice(-2)).toMatchObject([{ repeated: 2 }, { code: 'bug' }]);
    storm(bench, LINES_PER_SECOND + 3, PAIR);
    bench.log.flush();
    expect(bench.records.at(-1)).toMatchObject({ repeated: 3 });
  });

  test('other remotes and other notes are not touched', () => {
    const bench = new Bench();
    storm(bench, 100, PAIR);
    const before = bench.lines.length;
    bench.log.note(IGNORED, { ...PAIR, remote: 'other.lab' });
    bench.log.note({ note: 'external-failed', condition: 'not-authorized', text: undefined }, PAIR);
    expect(bench.lines).toHaveLength(before + 2);
  });

  test('a peer without a domain is known by its address, whatever its port', () => {
    const bench = new Bench();
    for (let port = 1; port <= 100; port++) {
      bench.log.note(
        { note: 'connection-refused', because: 'too many connections' },
        { direction: 'in', peer: `192.0.2.1:${port}` },
      );
    }
    expect(bench.lines).toHaveLength(LINES_PER_SECOND);
  });

  test('ten thousand invented names end in a bounded number of lines and one count', () => {
    const bench = new Bench();
    for (let index = 0; index < 10_000; index++) bench.log.note(IGNORED, { ...PAIR, remote: `x${index}.example` });
    bench.pass(1000);
    expect(bench.lines.length).toBeLessThan(200);
    const written = bench.records.filter((record) => record['repeated'] === undefined).length;
    const told = bench.records.reduce((sum, record) => sum + Number(record['repeated'] ?? 0), 0);
    expect(written + told).toBe(10_000);
    expect(bench.records.at(-1)?.['message']).toContain('many peers');
  });

  test('the steps of distinct connections are never folded', () => {
    const bench = new Bench();
    for (let index = 0; index < 1000; index++) {
      const subject = { ...PAIR, direction: 'in', connection: index.toString(16).padStart(9, '0') } as const;
      bench.log.note({ note: 'accepted' }, subject);
      bench.log.note({ note: 'authorized', sender: 'vngtp.lab', target: 'coluc.com', by: 'external' }, subject);
      bench.log.note({ note: 'state-changed', from: 'pending', to: 'connected' }, subject);
      bench.log.note({ note: 'ended', end: { by: 'close' }, stanzasIn: 1, stanzasOut: 0 }, subject);
    }
    expect(bench.lines).toHaveLength(4000);
  });

  test('a clock that is set back does not silence the log', () => {
    const bench = new Bench();
    storm(bench, 100, PAIR);
    bench.now -= 3_600_000;
    bench.log.note(IGNORED, PAIR);
    expect(bench.records.at(-1)).toMatchObject({ code: 'ignored' });
    expect(bench.records.at(-1)?.['repeated']).toBeUndefined();
  });
});

test.each(['text', 'json', 'expressway'] as const)('the line about lines left out has the shape of %s', (format) => {
  const line = new Bench({ format }).log.lineAboutLoss(1234);
  expect(line).toContain('1,234 log lines left out here');
  expect(line).not.toContain('\n');
});

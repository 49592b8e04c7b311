import { describe, expect, test } from 'vitest';
import type { Note, NoteSubject } from '../protocol/notes.ts';
import { recordOf } from './record.ts';
import { textLine, wantsColors } from './text.ts';

const TIME = Date.UTC(2026, 10, 22, 18, 0, 0, 123);

function shown(note: Note, subject: NoteSubject, colors = false): string {
  return textLine(recordOf(note, subject, TIME), colors);
}

describe('textLine', () => {
  const out: NoteSubject = {
    connection: '34A9B60C8',
    direction: 'out',
    side: 'foreign',
    local: 'coluc.com',
    remote: 'vngtp.lab',
  };

  test('has time, level, pair, connection, module, sentence and fields', () => {
    expect(
      shown({ note: 'connected', address: '192.0.2.20:5269', seconds: 0.0123 }, { ...out, peer: '192.0.2.20:5269' }),
    ).toBe(
      '2026-11-22T18:00:00.123Z INFO  coluc.com > vngtp.lab        34A9B60C8 s2s.connect  Connected to 192.0.2.20:5269 in 0.012 seconds. address=192.0.2.20:5269 seconds=0.0123 peer=192.0.2.20:5269',
    );
  });

  test('the arrow shows who opened the stream', () => {
    expect(shown({ note: 'stream-ready' }, { ...out, direction: 'in' })).toContain(' coluc.com < vngtp.lab ');
  });

  test('a stream with the server inside says so', () => {
    const line = shown(
      { note: 'accepted' },
      { connection: '34A9B60C8', direction: 'in', side: 'home', peer: '10.0.0.10:40000' },
    );
    expect(line).toContain(' - < - ');
    expect(line).toContain('side=home peer=10.0.0.10:40000');
  });

  test('lines about the process have no pair, and columns stay aligned', () => {
    expect(shown({ note: 'stopped' }, {}).indexOf('Stopped.')).toBe(
      shown({ note: 'stream-ready' }, out).indexOf('The stream'),
    );
  });

  test('values that are not plain are in quotes', () => {
    const line = shown(
      {
        note: 'lookup-finished',
        domain: 'vngtp.lab',
        method: 'SRV',
        targets: [
          { address: 'a.lab:5269', directTls: false },
          { address: 'b.lab:5269', directTls: true },
        ],
        seconds: { total: 0.5, srv: 0.25 },
      },
      out,
    );
    expect(line).toContain('targets="a.lab:5269, b.lab:5269" direct_tls=b.lab:5269 seconds_total=0.5 seconds_srv=0.25');
  });

  test('a domain that could be taken for something else is in quotes', () => {
    expect(shown({ note: 'stream-ready' }, { ...out, remote: 'x level=error' })).toContain(
      'coluc.com > "x level=error"',
    );
  });

  test('colors are added around the same text, and only when asked for', () => {
    const note: Note = { note: 'ignored', what: 'x' };
    const colored = shown(note, { ...out, peer: '192.0.2.20:5269' }, true);
    expect(colored).toContain('\u001b[33mWARN \u001b[0m');
    expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(shown(note, { ...out, peer: '192.0.2.20:5269' }));
  });
});

describe('wantsColors', () => {
  test.each([
    [true, {}, true],
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
  ])('terminal %s, environment %j: %s', (isTerminal, environment, wanted) => {
    expect(wantsColors(isTerminal, environment)).toBe(wanted);
  });
});

import { describe, expect, test } from 'vitest';
import type { Note, NoteSubject } from '../protocol/notes.ts';
import { Log } from './log.ts';

/** The lines of the reference page, joined where the page wraps them and with straight quotes. */
const REFERENCE = {
  initiating: [
    `XCP_CM2[12122]:.. Level="INFO " CodeLocation="stanza.component.out" Detail="xcoder=34A9B60C8 sending:: <db:result from='coluc.com' to='vngtp.lab'>d780f198ac34a6dbd795fcdaf8762eaf52ea9b03</db:result>"`,
    `XCP_CM2[12122]:.. Level="DEBUG" CodeLocation="stream.out" Detail="(00000000-0000-0000-0000-000000000000, coluc.com:vngtp.lab, OUT) xcoder=34A9B60C8 Scheduling dialback timeout in 30 secs."`,
    `XCP_CM2[12122]:.. Level="INFO " CodeLocation="ConnInfoHistory" Detail="Connection state change: PENDING->CONNECTED: …`,
  ],
  receiving: [
    `XCP_CM2[22992]:.. Level="VBOSE" CodeLocation="stanza.component.in" Detail="xcoder=05E295A2B received:: <db:result from='coluc.com' to='vngtp.lab'>d780f198ac34a6dbd795fcdaf8762eaf52ea9b03</db:result>"`,
    `XCP_CM2[22992]:.. Level="INFO " CodeLocation="Resolver.cpp:128" Detail="Starting resolver lookup for 'coluc.com:puny=coluc.com:service=_xmpp-server._tcp:defport=0'"`,
    `XCP_CM2[22992]:.. Level="INFO " CodeLocation="debug" Detail="(e5b18d01-fe24-4290-bba1-a57788a76468, vngtp.lab:coluc.com, IN) resolved dialback address for host=coluc.com method=SRV dns-timings=(TOTAL:0.003157 SRV:0.002885)"`,
    `XCP_CM2[22992]:.. Level="INFO " CodeLocation="DBVerify.cpp:270" Detail="(e5b18d01-fe24-4290-bba1-a57788a76468, vngtp.lab:coluc.com, IN) DBVerify stream is open. Sending db:verify packet: <db:verify from='vngtp.lab' id='05E295A2B' to='coluc.com'>d780f198ac34a6dbd795fcdaf8762eaf52ea9b03</db:verify>"`,
    `XCP_CM2[22992]:.. Level="INFO " CodeLocation="DBVerify.cpp:282" Detail="(e5b18d01-fe24-4290-bba1-a57788a76468, vngtp.lab:coluc.com, IN) DBVerify Packet Received <db:verify from='coluc.com' id='05E295A2B' to='vngtp.lab' type='valid'>d780f198ac34a6dbd795fcdaf8762eaf52ea9b03</db:verify>"`,
  ],
  authoritative: [
    `XCP_CM2[5164]:..Level="INFO " CodeLocation="debug" Detail="xcoder=94A9B60C8 onStreamOpen:: <stream:stream from='vngtp.lab' id='1327B794B' to='coluc.com' version='1.0' xml:lang='en-US.UTF-8' xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'/>"`,
    `XCP_CM2[5164]:..Level="VBOSE" CodeLocation="stanza.component.in" Detail="xcoder=94A9B60C8 received:: <db:verify from='vngtp.lab' id='05E295A2B' to='coluc.com'>d780f198ac34a6dbd795fcdaf8762eaf52ea9b03</db:verify>"`,
    `XCP_CM2[5164]:..Level="INFO " CodeLocation="stream.in" Detail="xcoder=94A9B60C8 closing stream used for dialback only"`,
  ],
} as const;

/** A key of ours: XEP-0185 makes 64 digits, the reference system has 40. */
const KEY = '37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643';

const INITIATING: NoteSubject = {
  connection: '0A1B2C3D4',
  direction: 'out',
  side: 'foreign',
  local: 'coluc.com',
  remote: 'vngtp.lab',
  peer: '192.0.2.20:5269',
};
const RECEIVING: NoteSubject = {
  connection: '1A1B2C3D4',
  direction: 'in',
  side: 'foreign',
  local: 'vngtp.lab',
  remote: 'coluc.com',
  peer: '192.0.2.10:40000',
};
const VERIFYING: NoteSubject = { ...RECEIVING, connection: '2A1B2C3D4', direction: 'out', peer: '192.0.2.10:5269' };
const AUTHORITATIVE: NoteSubject = {
  connection: '3A1B2C3D4',
  direction: 'in',
  side: 'foreign',
  local: 'coluc.com',
  remote: 'vngtp.lab',
  peer: '192.0.2.20:41000',
};

const VERIFY = `<db:verify from='vngtp.lab' id='05E295A2B' to='coluc.com'>${KEY}</db:verify>`;
const VERIFIED = `<db:verify from='coluc.com' id='05E295A2B' to='vngtp.lab' type='valid'>${KEY}</db:verify>`;
const HEADER = `<?xml version='1.0'?><stream:stream from='vngtp.lab' id='1327B794B' to='coluc.com' version='1.0' xml:lang='en-US.UTF-8' xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>`;

/** The notes of each role, in order, with the steps between those that the reference page shows. */
const WALKS: Readonly<Record<keyof typeof REFERENCE, readonly (readonly [Note, NoteSubject])[]>> = {
  initiating: [
    [{ note: 'connected', address: '192.0.2.20:5269', seconds: 0.01 }, INITIATING],
    [{ note: 'stream-ready' }, INITIATING],
    [
      {
        note: 'dialback-sent',
        xml: `<db:result from='coluc.com' to='vngtp.lab'>${KEY}</db:result>`,
        timeoutSeconds: 30,
      },
      INITIATING,
    ],
    [
      { note: 'dialback-answer-received', xml: `<db:result from='vngtp.lab' to='coluc.com' type='valid'/>` },
      INITIATING,
    ],
    [{ note: 'authorized', sender: 'coluc.com', target: 'vngtp.lab', by: 'dialback' }, INITIATING],
    [{ note: 'state-changed', from: 'pending', to: 'connected' }, INITIATING],
  ],
  receiving: [
    [{ note: 'accepted' }, RECEIVING],
    [{ note: 'dialback-requested', xml: `<db:result from='coluc.com' to='vngtp.lab'>${KEY}</db:result>` }, RECEIVING],
    [{ note: 'lookup-started', domain: 'coluc.com', ascii: 'coluc.com', service: '_xmpp-server._tcp' }, RECEIVING],
    [
      {
        note: 'lookup-finished',
        domain: 'coluc.com',
        method: 'SRV',
        targets: [{ address: 'xmpp.coluc.com:5269', directTls: false }],
        seconds: { total: 0.0123, srv: 0.004 },
      },
      RECEIVING,
    ],
    [{ note: 'verify-sent', xml: VERIFY, forConnection: '1A1B2C3D4' }, VERIFYING],
    [{ note: 'verify-answer-received', xml: VERIFIED, forConnection: '1A1B2C3D4' }, VERIFYING],
    [{ note: 'verify-stream-closing' }, VERIFYING],
    [{ note: 'dialback-answered', xml: `<db:result from='vngtp.lab' to='coluc.com' type='valid'/>` }, RECEIVING],
    [{ note: 'authorized', sender: 'coluc.com', target: 'vngtp.lab', by: 'dialback' }, RECEIVING],
  ],
  authoritative: [
    [{ note: 'accepted' }, AUTHORITATIVE],
    [{ note: 'header-received', xml: HEADER, streamId: '1327B794B' }, AUTHORITATIVE],
    [{ note: 'verify-requested', xml: VERIFY }, AUTHORITATIVE],
    [{ note: 'verify-answered', xml: VERIFIED, because: 'the key was made with our secret' }, AUTHORITATIVE],
    [{ note: 'verify-stream-closing' }, AUTHORITATIVE],
  ],
};

/** The log at its default level, in the format `expressway`. */
function logged(notes: readonly (readonly [Note, NoteSubject])[]): readonly string[] {
  const lines: string[] = [];
  const log = new Log(
    { format: 'expressway', level: 'info', modules: new Map() },
    {
      write: (line) => lines.push(line),
      now: () => Date.UTC(2026, 10, 22, 18),
      later: () => undefined,
      pid: 12122,
      colors: false,
    },
  );
  for (const [note, subject] of notes) log.note(note, subject);
  return lines;
}

/** A line from its level on, without what is different in every run. */
function normalized(line: string): string {
  return line
    .slice(line.indexOf('Level='))
    .replace(/CodeLocation="(\w+)\.cpp:\d+"/, 'CodeLocation="$1"')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
    .replaceAll(/[0-9a-f]{64}|[0-9a-f]{40}/g, 'KEY')
    .replaceAll(/\b[0-9A-F]{9}\b/g, 'ID')
    .replaceAll(/\d\.\d{6}/g, 'SECONDS');
}

describe.each(['initiating', 'receiving', 'authoritative'] as const)('the walk of the %s server', (role) => {
  test('has every line of the reference page, in its order, at the default level', () => {
    const ours = logged(WALKS[role]).map(normalized);
    let from = 0;
    for (const line of REFERENCE[role]) {
      const expected = normalized(line);
      const found = ours.findIndex(
        (each, index) =>
          index >= from && (expected.endsWith('…') ? each.startsWith(expected.slice(0, -1)) : each === expected),
      );
      expect(found, `${expected}\nnot in\n${ours.join('\n')}`).toBeGreaterThanOrEqual(from);
      from = found + 1;
    }
  });
});

describe('a line', () => {
  test('starts with the time, our name and the process id, then the module', () => {
    expect(logged([[{ note: 'verify-stream-closing' }, AUTHORITATIVE]])).toEqual([
      '2026-11-22T18:00:00.000Z fedway[12122]: Module="s2s.dialback" Level="INFO " CodeLocation="stream.in" Detail="xcoder=3A1B2C3D4 closing stream used for dialback only"',
    ]);
  });

  test('that the reference system does not have carries the pair, the connection and our sentence', () => {
    expect(logged([[{ note: 'connected', address: '192.0.2.20:5269', seconds: 0.01 }, INITIATING]])).toEqual([
      '2026-11-22T18:00:00.000Z fedway[12122]: Module="s2s.connect" Level="INFO " CodeLocation="stream.out" Detail="(00000000-0000-0000-0000-0000a1b2c3d4, coluc.com:vngtp.lab, OUT) xcoder=0A1B2C3D4 Connected to 192.0.2.20:5269 in 0.010 seconds. address=192.0.2.20:5269 seconds=0.01 peer=192.0.2.20:5269"',
    ]);
  });

  test('about the process has neither', () => {
    expect(logged([[{ note: 'stopped' }, {}]])).toEqual([
      '2026-11-22T18:00:00.000Z fedway[12122]: Module="process" Level="INFO " CodeLocation="process" Detail="Stopped."',
    ]);
  });

  test('tells a verification under the inbound stream that it is for', () => {
    const [line = ''] = logged([[{ note: 'verify-sent', xml: VERIFY, forConnection: '1A1B2C3D4' }, VERIFYING]]);
    expect(line).toContain(
      'Detail="(00000000-0000-0000-0000-0001a1b2c3d4, vngtp.lab:coluc.com, IN) DBVerify stream is open.',
    );
  });
});

describe('AXL', () => {
  const url = 'https://cups.ciscotac.net:8443/axl/';
  const asked = { publisher: 'cups', url, function: 'executeSQLQuery', version: '14.0' };

  test('a request is the line of the reference page, word for word', () => {
    const sql = 'select pkid, cp_id from xmpps2snodes';
    expect(logged([[{ note: 'axl-sent', ...asked, sql, routine: false }, {}]])).toEqual([
      `2026-11-22T18:00:00.000Z fedway[12122]: Module="network.axl" Level="INFO" Action="Send" URL="https://cups.ciscotac.net:8443/axl/" Function="executeSQLQuery"`,
    ]);
  });

  test('a failure has the attributes of the reference page, and the cure behind them', () => {
    const problem = { code: 'credentials', sentence: 'It said "no".', cause: 'A wrong password.', cure: 'Correct it.' };
    expect(logged([[{ note: 'axl-failed', ...asked, status: 401, reason: undefined, problem }, {}]])).toEqual([
      `2026-11-22T18:00:00.000Z fedway[12122]: Module="network.axl" Level="WARN" Action="Receive" URL="https://cups.ciscotac.net:8443/axl/" Function="executeSQLQuery" Status="401" Reason="None" Detail="It said \\"no\\". Correct it."`,
    ]);
  });

  test('a request that only looks again is not told at the default level', () => {
    expect(logged([[{ note: 'axl-sent', ...asked, sql: 'select', routine: true }, {}]])).toEqual([]);
  });
});

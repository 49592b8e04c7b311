import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import * as codec from 'dns-packet';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DnsDouble } from '../../test/support/dns-double.ts';
import { type Domain, parseDomain } from '../protocol/jid/domain.ts';
import type { Note } from '../protocol/notes.ts';
import { encodeAnswer, encodeFailure, readQuery } from './message.ts';
import { type ResponderOptions, SteeringResponder } from './responder.ts';
import { type SteeringSettings, steer } from './steer.ts';
import { framed, MessageReader } from './tcp-frames.ts';

const settings: SteeringSettings = {
  answer: ['10.0.0.2', 'fd00::2'],
  port: 5299,
  ttl: 60,
  keep: [parseDomain('coluc.com') as Domain],
};

type Reply = codec.DecodedPacket & { readonly rcode?: string };

let responder: SteeringResponder;
let at: { readonly address: string; readonly port: number };
let notes: Note[];

async function start(options: Partial<ResponderOptions> = {}): Promise<void> {
  notes = [];
  responder = new SteeringResponder({
    listen: [{ address: '127.0.0.1', port: 0 }],
    settings,
    notes: (note) => notes.push(note),
    ...options,
  });
  const [bound] = await responder.start();
  if (bound === undefined) throw new Error('nothing listens');
  at = bound;
}

beforeEach(() => start());
afterEach(() => responder.close());

function query(name: string, type: codec.RecordType, more: Partial<codec.Packet> = {}): Buffer {
  return codec.encode({
    type: 'query',
    id: 4711,
    flags: codec.RECURSION_DESIRED,
    questions: [{ name, type }],
    ...more,
  });
}

function opt(ednsVersion = 0, udpPayloadSize = 4096): codec.OptAnswer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

async function overUdp(bytes: Buffer): Promise<Reply> {
  const socket = createSocket('udp4');
  socket.send(bytes, at.port, at.address);
  const [reply] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return codec.decode(reply);
}

async function overTcp(bytes: Buffer): Promise<Reply> {
  const socket = connect(at.port, at.address);
  socket.write(bytes);
  const reader = new MessageReader(0xff_ff);
  for await (const chunk of socket) {
    const [reply] = reader.read(chunk as Buffer) ?? [];
    if (reply === undefined) continue;
    socket.destroy();
    return codec.decode(reply);
  }
  throw new Error('no answer');
}

describe('steered questions', () => {
  test('SRV names the domain itself, with its addresses beside it', async () => {
    const reply = await overUdp(query('_xmpp-server._tcp.vngtp.lab', 'SRV'));
    expect(reply).toMatchObject({
      id: 4711,
      rcode: 'NOERROR',
      flag_qr: true,
      flag_aa: true,
      flag_rd: true,
      flag_ra: true,
    });
    expect(reply.questions).toMatchObject([{ name: '_xmpp-server._tcp.vngtp.lab', type: 'SRV' }]);
    expect(reply.answers).toMatchObject([
      {
        name: '_xmpp-server._tcp.vngtp.lab',
        type: 'SRV',
        ttl: 60,
        data: { priority: 0, weight: 0, port: 5299, target: 'vngtp.lab' },
      },
    ]);
    expect(reply.additionals).toMatchObject([
      { name: 'vngtp.lab', type: 'A', data: '10.0.0.2' },
      { name: 'vngtp.lab', type: 'AAAA', data: 'fd00::2' },
    ]);
    expect(notes).toMatchObject([
      { note: 'steered', question: 'SRV _xmpp-server._tcp.vngtp.lab', answer: 'vngtp.lab:5299 at 10.0.0.2, fd00::2' },
    ]);
    expect(responder.counts).toMatchObject({ steered: 1, refused: 0 });
  });

  test('addresses of a foreign domain are fedway, over TCP as over UDP', async () => {
    const answers = [{ name: 'vngtp.lab', type: 'A', data: '10.0.0.2' }];
    expect((await overUdp(query('vngtp.lab', 'A'))).answers).toMatchObject(answers);
    expect((await overTcp(framed(query('vngtp.lab', 'A')))).answers).toMatchObject(answers);
  });

  test('no data comes with an SOA record that says how long that holds', async () => {
    const reply = await overUdp(query('_xmpps-server._tcp.vngtp.lab', 'SRV'));
    expect(reply).toMatchObject({ rcode: 'NOERROR', answers: [] });
    expect(reply.authorities).toMatchObject([{ name: 'vngtp.lab', type: 'SOA', ttl: 60, data: { minimum: 60 } }]);
    expect(notes).toMatchObject([{ note: 'steered', answer: 'no data' }]);
  });

  test('the question comes back with its letter case, for clients that use it against forgery', async () => {
    const reply = await overUdp(query('vNgTp.LaB', 'A'));
    expect(reply.questions).toMatchObject([{ name: 'vNgTp.LaB' }]);
    expect(reply.answers).toMatchObject([{ name: 'vNgTp.LaB' }]);
  });

  test('new settings hold from the next question on', async () => {
    responder.reconfigure({ ...settings, keep: [...settings.keep, parseDomain('vngtp.lab') as Domain] });
    expect(await overUdp(query('vngtp.lab', 'A'))).toMatchObject({ rcode: 'REFUSED' });
  });

  test('EDNS is answered with EDNS, and only then', async () => {
    expect((await overUdp(query('vngtp.lab', 'A', { additionals: [opt()] }))).additionals).toMatchObject([
      { type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0, extendedRcode: 0 },
    ]);
    expect((await overUdp(query('vngtp.lab', 'A'))).additionals).toEqual([]);
    const reply = await overUdp(query('vngtp.lab', 'A', { additionals: [opt(1)] }));
    expect(reply).toMatchObject({ answers: [], additionals: [{ type: 'OPT', extendedRcode: 1, ednsVersion: 0 }] });
  });

  test('what does not fit goes without the additional addresses, then to TCP', async () => {
    const middle = `${'a'.repeat(63)}.${'b'.repeat(63)}.lab`;
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(30)}.lab`;
    const cut = await overUdp(query(`_xmpp-server._tcp.${middle}`, 'SRV'));
    expect([cut.flag_tc, cut.answers?.length, cut.additionals?.length]).toEqual([false, 1, 0]);
    const truncated = await overUdp(query(`_xmpp-server._tcp.${long}`, 'SRV'));
    expect([truncated.flag_tc, truncated.answers?.length]).toEqual([true, 0]);
    const whole = await overTcp(framed(query(`_xmpp-server._tcp.${long}`, 'SRV')));
    expect([whole.flag_tc, whole.answers?.length, whole.additionals?.length]).toEqual([false, 1, 2]);
    const edns = await overUdp(query(`_xmpp-server._tcp.${long}`, 'SRV', { additionals: [opt()] }));
    expect([edns.flag_tc, edns.answers?.length]).toEqual([false, 1]);
  });
});

describe('the rest', () => {
  test('is refused where nothing else is configured', async () => {
    const reply = await overUdp(query('coluc.com', 'A'));
    expect(reply).toMatchObject({ id: 4711, rcode: 'REFUSED', flag_aa: false, questions: [{ name: 'coluc.com' }] });
    expect(responder.counts.refused).toBe(1);
    expect(notes).toEqual([]);
  });

  test('of another class than IN is not steered', async () => {
    const bytes = query('vngtp.lab', 'A');
    bytes.writeUInt16BE(3, bytes.length - 2);
    expect(await overUdp(bytes)).toMatchObject({ rcode: 'REFUSED' });
  });

  describe('forwarded', () => {
    let upstream: DnsDouble;

    beforeEach(async () => {
      await responder.close();
      upstream = await DnsDouble.start('127.0.0.2');
      await start({ forwardTo: [upstream.server], forwardTimeout: 50 });
    });
    afterEach(() => upstream.close());

    test('comes back as it was answered, with the id of the client', async () => {
      upstream.a('coluc.com', '10.9.9.9');
      const reply = await overUdp(query('Coluc.com', 'A'));
      expect(reply).toMatchObject({ id: 4711, answers: [{ data: '10.9.9.9' }], questions: [{ name: 'Coluc.com' }] });
      expect(upstream.queries).toMatchObject([{ over: 'udp' }]);
      expect(upstream.queries[0]?.id).not.toBe(4711);
      expect(await overTcp(framed(query('coluc.com', 'A')))).toMatchObject({
        id: 4711,
        answers: [{ data: '10.9.9.9' }],
      });
      expect(upstream.queries[1]).toMatchObject({ over: 'tcp' });
      expect(responder.counts).toMatchObject({ forwarded: 2, unanswered: 0 });
    });

    test('steered questions never leave', async () => {
      await overUdp(query('vngtp.lab', 'A'));
      await overUdp(query('vngtp.lab', 'TXT'));
      expect(upstream.queries).toEqual([]);
    });

    test('lies are passed over', async () => {
      const lie = { name: 'coluc.com', type: 'A', ttl: 60, data: '127.0.0.66' } as const;
      upstream.script('A', 'coluc.com', { liesFirst: [lie], delay: 5, answers: [{ ...lie, data: '10.9.9.9' }] });
      expect(await overUdp(query('coluc.com', 'A'))).toMatchObject({ answers: [{ data: '10.9.9.9' }] });
    });

    test('is SERVFAIL when nobody answers, over UDP as over TCP', async () => {
      upstream.script('A', 'coluc.com', { silent: true });
      expect(await overUdp(query('coluc.com', 'A'))).toMatchObject({
        rcode: 'SERVFAIL',
        questions: [{ name: 'coluc.com' }],
      });
      expect(await overTcp(framed(query('coluc.com', 'A')))).toMatchObject({ rcode: 'SERVFAIL' });
      expect(responder.counts).toMatchObject({ forwarded: 2, unanswered: 2 });
    });

    test('goes to the next server when one does not answer', async () => {
      const second = await DnsDouble.start('127.0.0.3');
      second.a('coluc.com', '10.9.9.9');
      upstream.script('A', 'coluc.com', { silent: true });
      await responder.close();
      await start({ forwardTo: [upstream.server, second.server], forwardTimeout: 30 });
      expect(await overUdp(query('coluc.com', 'A'))).toMatchObject({ answers: [{ data: '10.9.9.9' }] });
      await second.close();
    });

    test('no more than 256 questions are open; the others fail at once', async () => {
      upstream.script('A', 'coluc.com', { silent: true });
      await responder.close();
      await start({ forwardTo: [upstream.server], forwardTimeout: 60_000 });
      const socket = createSocket('udp4');
      const reply = once(socket, 'message') as Promise<[Buffer]>;
      // In portions that the socket's buffer takes.
      for (let sent = 0; sent <= 256; sent++) {
        socket.send(query('coluc.com', 'A'), at.port, at.address);
        while (responder.counts.forwarded < sent - 16) await setImmediate();
      }
      while (responder.counts.forwarded <= 256) await setImmediate();
      expect(responder.counts.forwarded).toBe(257);
      expect((codec.decode((await reply)[0]) as Reply).rcode).toBe('SERVFAIL');
      socket.close();
    });
  });
});

describe('bad messages', () => {
  test.each([
    ['short', Buffer.from('00')],
    ['a response', codec.encode({ type: 'response', id: 1, questions: [{ name: 'vngtp.lab', type: 'A' }] })],
    ['a header with 65535 questions', Buffer.from('126701000fff000000000000', 'hex')],
  ])('%s: dropped and counted', async (_, bytes) => {
    const socket = createSocket('udp4');
    socket.send(bytes, at.port, at.address);
    // Answers come in order: the one to the second message is the first.
    socket.send(query('vngtp.lab', 'A'), at.port, at.address);
    const [reply] = (await once(socket, 'message')) as [Buffer];
    expect(codec.decode(reply).id).toBe(4711);
    expect(responder.counts).toMatchObject({ dropped: 1, steered: 1 });
    socket.close();
  });

  test('another operation than a query is not implemented; two questions, or none, are a format error', async () => {
    const update = query('vngtp.lab', 'A');
    update.writeUInt16BE(5 << 11, 2);
    expect(await overUdp(update)).toMatchObject({ id: 4711, rcode: 'NOTIMP', questions: [] });
    const question = { name: 'vngtp.lab', type: 'A' } as const;
    expect(await overUdp(query('', 'A', { questions: [question, question] }))).toMatchObject({ rcode: 'FORMERR' });
    expect(await overUdp(query('', 'A', { questions: [] }))).toMatchObject({ rcode: 'FORMERR' });
  });

  test('no bytes make the codec throw, and no answer to a datagram is much longer than its question', () => {
    const whole = query('_xmpp-server._tcp.vngtp.lab', 'SRV', { additionals: [opt()] });
    const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 });
    const mutated = edits.map((changes) => {
      const bytes = Buffer.from(whole);
      for (const [position, value] of changes) bytes[position] = value;
      return bytes;
    });
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, random), (bytes) => {
        const read = readQuery(bytes);
        if (!('bytes' in read)) return;
        const steered = steer(read.name, read.type, settings);
        const reply = steered === undefined ? encodeFailure(read, 5) : encodeAnswer(read, steered, settings, 'udp');
        expect(codec.decode(reply).questions).toHaveLength(1);
        expect(reply.length).toBeLessThanOrEqual(Math.min(1232, 4 * bytes.length + 200));
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['an empty message', Buffer.from([0, 0])],
    ['a message of 65535 bytes', Buffer.from([0xff, 0xff])],
    ['17 questions at once', Buffer.concat(Array.from({ length: 17 }, () => framed(query('vngtp.lab', 'A'))))],
  ])('over TCP %s ends the connection', async (_, bytes) => {
    const socket = connect(at.port, at.address);
    socket.on('error', () => socket.destroy());
    socket.write(bytes);
    await new Promise((resolve) => socket.resume().once('close', resolve));
    expect(responder.counts.dropped).toBe(1);
  });

  test('over TCP a message may come byte by byte, and several on one connection', async () => {
    const socket = connect(at.port, at.address).setNoDelay();
    const reader = new MessageReader(0xff_ff);
    const two = Buffer.concat([framed(query('vngtp.lab', 'A')), framed(query('coluc.com', 'A'))]);
    for (const byte of two) socket.write(Buffer.from([byte]));
    const replies: string[] = [];
    for await (const chunk of socket) {
      for (const reply of reader.read(chunk as Buffer) ?? []) replies.push((codec.decode(reply) as Reply).rcode ?? '');
      if (replies.length === 2) break;
    }
    expect(replies).toEqual(['NOERROR', 'REFUSED']);
  });
});

describe('listening', () => {
  test('an address that is taken is named, and none is kept', async () => {
    const free = { address: '127.0.0.4', port: at.port };
    const second = new SteeringResponder({ listen: [free, at], settings, notes: () => undefined });
    await expect(second.start()).rejects.toThrow(`cannot answer DNS on 127.0.0.1:${at.port}: `);
    const third = new SteeringResponder({ listen: [free], settings, notes: () => undefined });
    await third.start();
    await third.close();
  });

  test('close ends connections and may be called twice', async () => {
    const socket = connect(at.port, at.address);
    await once(socket, 'connect');
    await Promise.all([new Promise((resolve) => socket.once('close', resolve)), responder.close()]);
    await responder.close();
    expect(socket.destroyed).toBe(true);
  });

  test('IPv6 is answered as well', async () => {
    await responder.close();
    await start({ listen: [{ address: '::1', port: 0 }] });
    const socket = createSocket('udp6');
    socket.send(query('vngtp.lab', 'AAAA'), at.port, '::1');
    const [reply] = (await once(socket, 'message')) as [Buffer];
    expect(codec.decode(reply).answers).toMatchObject([{ type: 'AAAA', data: 'fd00::2' }]);
    socket.close();
  });
});

test('a fault of ours costs one answer and is told', async () => {
  await responder.close();
  const bugs: Note[] = [];
  await start({
    notes: (note) => {
      if (note.note === 'steered' && note.question.startsWith('TXT')) throw new Error('broken sink');
      bugs.push(note);
    },
  });
  const socket = createSocket('udp4');
  socket.send(query('vngtp.lab', 'TXT'), at.port, at.address);
  socket.send(query('vngtp.lab', 'A'), at.port, at.address);
  await once(socket, 'message');
  expect(bugs[0]).toMatchObject({ note: 'bug', where: 'steering responder' });
  socket.close();
});

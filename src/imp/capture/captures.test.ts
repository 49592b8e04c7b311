import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Note } from '../../protocol/notes.ts';
import { captureName } from './capture-file.ts';
import { CAPTURE_LIMITS, type CaptureLimits, type CaptureOrder, Captures, type RunningCapture } from './captures.ts';
import { RecordReader } from './pcap.ts';
import type { Conversation } from './tap.ts';

let folder = '';
const notes: Note[] = [];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'fedway-capture-')), 'captures');
  notes.length = 0;
});

afterEach(() => {
  rmSync(join(folder, '..'), { recursive: true });
});

function captures(limits: Partial<CaptureLimits> = {}): Captures {
  return new Captures({
    folder,
    notes: (note) => notes.push(note),
    addresses: () => ['127.0.0.1'],
    limits: { ...CAPTURE_LIMITS, ...limits },
    clock: () => 1_700_000_000_000,
  });
}

const ORDER: CaptureOrder = {
  device: 'eth0',
  file: 'axl_inject.pcap',
  count: 1_000_000,
  size: undefined,
  port: undefined,
  host: undefined,
  source: 'decoded',
  author: 'root@imp-1',
};

async function begin(made: Captures, order: Partial<CaptureOrder> = {}): Promise<RunningCapture> {
  const running = await made.start({ ...ORDER, ...order });
  if ('refused' in running) throw new Error(running.refused);
  return running;
}

const CLIENT: Conversation = {
  protocol: 'xmpp',
  local: { address: '127.0.0.1', port: 5222 },
  remote: { address: '127.0.0.2', port: 40_000 },
  openedBy: 'remote',
};

interface Packet {
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
  readonly acknowledges: number;
  readonly flags: number;
  readonly payload: string;
}

/** The TCP segments over IPv4 in a file. */
function packetsIn(file: string): readonly Packet[] {
  const [, ...records] = new RecordReader().read(readFileSync(join(folder, file))) ?? [];
  return records.map((bytes) => {
    const tcp = bytes.subarray(16 + 14 + 20);
    return {
      from: tcp.readUInt16BE(0),
      to: tcp.readUInt16BE(2),
      sequence: tcp.readUInt32BE(4),
      acknowledges: tcp.readUInt32BE(8),
      flags: tcp.readUInt8(13),
      payload: tcp.subarray(20).toString(),
    };
  });
}

describe('a capture of decoded conversations', () => {
  test('is a conversation of TCP: a handshake, numbers that follow each other, an end; and secrets are stars', async () => {
    const made = captures();
    const running = await begin(made);
    const tapped = made.tap.opened(CLIENT);
    tapped.data('in', Buffer.from("<auth mechanism='PLAIN'>AGEA"));
    tapped.data('in', Buffer.from('Yg==</auth>'));
    tapped.data('out', Buffer.from('<success/>'));
    tapped.data('in', Buffer.from(`<message>${'x'.repeat(3_000)}</message>`));
    tapped.closed();
    tapped.data('in', Buffer.from('late'));
    running.stop('stopped');
    const end = await running.done;
    const packets = packetsIn('axl_inject.pcap');
    expect(end).toEqual({
      packets: packets.length,
      bytes: statSync(join(folder, running.file)).size,
      left: 0,
      because: 'stopped',
    });
    expect(packets.slice(0, 3).map(({ from, flags }) => [from, flags])).toEqual([
      [40_000, 0x02],
      [5222, 0x12],
      [40_000, 0x10],
    ]);
    const next = new Map<number, number>();
    for (const { from, to, sequence, acknowledges, flags, payload } of packets) {
      expect(sequence).toBe(next.get(from) ?? sequence);
      expect(acknowledges).toBe((flags & 0x10) === 0 ? 0 : next.get(to));
      next.set(from, sequence + payload.length + ((flags & 0x03) === 0 ? 0 : 1));
    }
    const said = packets
      .filter(({ to }) => to === 5222)
      .map(({ payload }) => payload)
      .join('');
    expect(said).toBe(`<auth mechanism='PLAIN'>********</auth><message>${'x'.repeat(3_000)}</message>`);
    expect(packets.slice(-3).map(({ flags }) => flags)).toEqual([0x11, 0x11, 0x10]);
    expect(packets.every(({ payload }) => payload.length <= 1_440)).toBe(true);
  });

  test('takes a conversation that was open before from where it is, and hides what may be the rest of a secret', async () => {
    const made = captures();
    const tapped = made.tap.opened(CLIENT);
    tapped.data('in', Buffer.from('<auth>c2Vj'));
    const running = await begin(made);
    tapped.data('in', Buffer.from('cmV0</auth><message/>'));
    running.stop('stopped');
    await running.done;
    expect(packetsIn(running.file).map(({ flags, payload }) => [flags, payload])).toEqual([
      [0x18, '****</auth><message/>'],
    ]);
  });

  test('stops at its count, and keeps of each packet what was asked for', async () => {
    const made = captures();
    const running = await begin(made, { count: 4, size: 60 });
    const tapped = made.tap.opened(CLIENT);
    for (let index = 0; index < 10; index += 1) tapped.data('in', Buffer.from('a long piece of text'));
    expect(await running.done).toMatchObject({ packets: 4, because: '4 packets' });
    const [, ...records] = new RecordReader().read(readFileSync(join(folder, running.file))) ?? [];
    expect(records.map((bytes) => [bytes.readUInt32LE(8), bytes.readUInt32LE(12)])).toEqual([
      [54, 54],
      [54, 54],
      [54, 54],
      [60, 74],
    ]);
  });

  test.each([
    [{ port: 5222 }, true],
    [{ port: 40_000 }, true],
    [{ port: 8443 }, false],
    [{ host: '127.0.0.2' }, true],
    [{ host: '::ffff:127.0.0.2' }, true],
    [{ host: '127.0.0.3' }, false],
    [{ host: '127.0.0.2', port: 8443 }, false],
  ])('has what is asked for: %j', async (filter, wanted) => {
    const made = captures();
    const running = await begin(made, filter);
    const tapped = made.tap.opened(CLIENT);
    tapped.data('in', Buffer.from('x'));
    tapped.closed();
    running.stop('stopped');
    expect((await running.done).packets > 0).toBe(wanted);
  });

  test('after it, conversations go on untold, and the next capture begins anew', async () => {
    const made = captures();
    const tapped = made.tap.opened(CLIENT);
    const first = await begin(made, { file: 'one.pcap' });
    tapped.data('in', Buffer.from('<a/>'));
    first.stop('stopped');
    await first.done;
    tapped.data('in', Buffer.from('<b/>'));
    const second = await begin(made, { file: 'two.pcap' });
    tapped.data('in', Buffer.from('<c/>'));
    made.close();
    expect((await second.done).because).toBe('the node stops');
    expect(packetsIn('one.pcap').map(({ payload }) => payload)).toEqual(['<a/>']);
    expect(packetsIn('two.pcap').map(({ payload }) => payload)).toEqual(['<c/>']);
  });

  test('is noted with who asked and what came of it', async () => {
    const running = await begin(captures());
    running.stop('stopped');
    await running.done;
    await new Promise((resolve) => setImmediate(resolve));
    expect(notes).toEqual([
      {
        note: 'imp-capture-started',
        author: 'root@imp-1',
        file: 'axl_inject.pcap',
        source: "the node's conversations, decoded",
      },
      { note: 'imp-capture-ended', file: 'axl_inject.pcap', packets: 0, bytes: 24, left: 0, because: 'stopped' },
    ]);
  });
});

describe('what bounds captures', () => {
  test('one at a time', async () => {
    const made = captures();
    const running = await begin(made);
    expect(await made.start({ ...ORDER, file: 'other.pcap' })).toEqual({
      refused: 'The capture axl_inject.pcap is still running. Stop it first: there is one at a time.',
    });
    running.stop('stopped');
    await running.done;
    (await begin(made, { file: 'other.pcap' })).stop('stopped');
  });

  test('a time', async () => {
    const running = await begin(captures({ time: 30 }));
    expect((await running.done).because).toMatch(/minutes$/);
  });

  test('the size of a file, and of all files', async () => {
    const made = captures({ file: 300, folder: 700 });
    const running = await begin(made);
    const tapped = made.tap.opened(CLIENT);
    tapped.data('in', Buffer.from('x'.repeat(200)));
    expect((await running.done).because).toBe('300 bytes');
    writeFileSync(join(folder, 'old.cap'), 'x'.repeat(200));
    expect(await made.start({ ...ORDER, file: 'next.pcap' })).toMatchObject({
      refused: expect.stringContaining('file delete') as string,
    });
    expect(readdirSync(folder)).toEqual(['axl_inject.pcap', 'old.cap']);
  });

  test('a disk that is too slow costs packets and not memory', async () => {
    const made = captures({ waiting: 1_000 });
    const running = await begin(made);
    const tapped = made.tap.opened(CLIENT);
    for (let index = 0; index < 100; index += 1) tapped.data('in', Buffer.from('x'.repeat(1_000)));
    running.stop('stopped');
    const { left, bytes } = await running.done;
    expect(left).toBeGreaterThan(90);
    expect(bytes).toBeLessThan(5_000);
  });

  test('a capture is only read by its owner, and never written over', async () => {
    const made = captures();
    const running = await begin(made);
    expect(statSync(join(folder, running.file)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    running.stop('stopped');
    await running.done;
    expect(await made.start(ORDER)).toMatchObject({ refused: expect.stringContaining('already') as string });
  });

  test('names are names and no paths', () => {
    expect(captureName('axl_inject.pcap')).toEqual({ name: 'axl_inject.pcap' });
    expect(captureName('axl')).toEqual({ name: 'axl.cap' });
    for (const typed of [
      '',
      '.pcap',
      '../x.pcap',
      '/etc/x.pcap',
      'a/b.pcap',
      'a b.cap',
      '-w.pcap',
      'a\0.pcap',
      `${'a'.repeat(125)}.pcap`,
    ]) {
      expect(captureName(typed)).toHaveProperty('refused');
    }
  });

  test('they are listed and deleted', async () => {
    const made = captures();
    expect(await made.folder.list()).toEqual([]);
    const running = await begin(made);
    running.stop('stopped');
    await running.done;
    expect(await made.folder.list()).toMatchObject([{ name: 'axl_inject.pcap', bytes: 24 }]);
    expect([await made.folder.remove(running.file), await made.folder.remove(running.file)]).toEqual([
      'removed',
      'missing',
    ]);
  });
});

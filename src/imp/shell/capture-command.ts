import { isIP } from 'node:net';
import { captureName } from '../capture/capture-file.ts';
import type { CaptureOrder } from '../capture/captures.ts';
import { type Command, told, unsuccessful } from './command.ts';
import { tableText } from './table.ts';

/** What the options of a capture say; or what is wrong with them, as a sentence. */
export function readCapture(rest: string): Omit<CaptureOrder, 'author'> | { readonly wrong: string } {
  const [device = '', ...words] = rest.split(/\s+/).filter((word) => word !== '');
  if (!/^[A-Za-z][\w.-]{0,14}$/.test(device)) return { wrong: 'Name the interface: eth0, any, or another one.' };
  const options: Partial<Record<OptionName, string>> = {};
  for (let index = 0; index < words.length; index += 2) {
    const option = words[index]?.toLowerCase() ?? '';
    // `host ip 192.0.2.1`: the protocol stands between.
    if (option === 'host' && words[index + 1]?.toLowerCase() === 'ip') index += 1;
    const value = words[index + 1];
    if (!isOption(option))
      return { wrong: `There is no option "${option.slice(0, 40)}". Options: ${OPTIONS.join(', ')}.` };
    if (value === undefined) return { wrong: `The option ${option} has no value.` };
    if (options[option] !== undefined) return { wrong: `The option ${option} stands there twice.` };
    options[option] = value;
  }
  return orderOf(device, options);
}

const OPTIONS = ['file', 'count', 'size', 'port', 'host', 'source'] as const;
type OptionName = (typeof OPTIONS)[number];

function isOption(word: string): word is OptionName {
  return OPTIONS.some((option) => option === word);
}

/** Packets when nothing is said. */
const USUAL_COUNT = 100_000;
const MOST_PACKETS = 10_000_000;
/** A packet with less than this says nothing. */
const LEAST_BYTES = 54;
const MOST_BYTES = 65_535;

function orderOf(
  device: string,
  { file, count, size, port, host, source }: Partial<Record<OptionName, string>>,
): Omit<CaptureOrder, 'author'> | { readonly wrong: string } {
  if (file === undefined)
    return { wrong: 'Name the file: utils network capture eth0 file NAME.pcap count 1000 size all' };
  const named = captureName(file);
  if ('refused' in named) return { wrong: named.refused };
  const packets = count === undefined ? USUAL_COUNT : whole(count, 1, MOST_PACKETS);
  if (packets === undefined) return { wrong: `count is a number from 1 to ${MOST_PACKETS}.` };
  const all = size === undefined || size.toLowerCase() === 'all';
  const bytes = all ? undefined : whole(size, LEAST_BYTES, MOST_BYTES);
  if (!all && bytes === undefined)
    return { wrong: `size is all, or a number of bytes from ${LEAST_BYTES} to ${MOST_BYTES}.` };
  const number = port === undefined ? undefined : whole(port, 1, 65_535);
  if (port !== undefined && number === undefined) return { wrong: 'port is a number from 1 to 65535.' };
  if (host !== undefined && isIP(host) === 0) return { wrong: 'host is an IP address: host ip 192.0.2.1' };
  if (source !== undefined && source.toLowerCase() !== 'decoded') return { wrong: 'source can be decoded.' };
  return {
    device,
    file: named.name,
    count: packets,
    size: bytes,
    port: number,
    host,
    source: source === undefined ? 'best' : 'decoded',
  };
}

function whole(text: string, least: number, most: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}

const CAPTURE: Command = {
  words: ['utils', 'network', 'capture'],
  usage: 'eth0 file NAME [count N] [size all|BYTES] [port N] [host ip ADDRESS] [source decoded]',
  summary: 'capture packets into a file until Ctrl-C',
  details: [
    'Packets come from dumpcap or tcpdump when the node may use one of them. Otherwise, and with "source decoded", the node writes its own',
    'conversations (AXL, router, clients) as packets: decrypted, and without credentials. Read the file with Wireshark.',
  ],
  takesRest: true,
  loggable: (rest) => rest.slice(0, 200),
  completions: () => ['eth0 file', 'any file'],
  async run(rest, { captures }, { author }) {
    const order = readCapture(rest);
    if ('wrong' in order) return unsuccessful(order.wrong);
    const capture = await captures.start({ ...order, author });
    if ('refused' in capture) return unsuccessful(capture.refused);
    const { count, size, device, port, host } = order;
    const lines = [
      'Executing command with options:',
      ` size=${String(size ?? 'ALL').padEnd(19)} count=${String(count).padEnd(18)} interface=${device}`,
      ` src=${' '.repeat(20)} dest=${' '.repeat(19)} port=${port ?? ''}`,
      ` ip=${host ?? ''}`,
      '',
      `Capturing ${capture.what}${capture.instead === undefined ? '' : ` (not packets: ${capture.instead})`}. Press Ctrl-C to stop.`,
    ];
    const done = capture.done.then(
      ({ packets, bytes, left, because }) =>
        `Captured ${packets} packets, ${bytes} bytes (${because})${left === 0 ? '' : `; ${left} were left out, because the disk was too slow`}: ${captures.folder.path}/${capture.file}`,
    );
    return { ...told(...lines), goesOn: { done, interrupt: () => capture.stop('stopped') } };
  },
};

/** Where the reference system has its captures. */
const PLACE = /^(?:\S*\/)?platform\/cli\/?/i;

const FILE_LIST: Command = {
  words: ['file', 'list', 'activelog'],
  usage: 'platform/cli/*',
  summary: 'list the captures',
  takesRest: true,
  completions: () => ['platform/cli/*'],
  async run(rest, { captures }) {
    if (!PLACE.test(rest)) return unsuccessful('Captures are in platform/cli: file list activelog platform/cli/*');
    const files = await captures.folder.list();
    if (files.length === 0) return told('no files found');
    return told(
      tableText(
        ['file', 'bytes', 'changed'],
        files.map(({ name, bytes, changed }) => [
          name,
          String(bytes),
          new Date(changed).toISOString().slice(0, 19).replace('T', ' '),
        ]),
      ),
      '',
      `They are in ${captures.folder.path}`,
    );
  },
};

const FILE_DELETE: Command = {
  words: ['file', 'delete', 'activelog'],
  usage: 'platform/cli/NAME',
  summary: 'delete a capture',
  takesRest: true,
  loggable: (rest) => rest.slice(0, 200),
  completions: () => ['platform/cli/'],
  async run(rest, { captures }) {
    const named = captureName(rest.replace(PLACE, ''));
    if (!PLACE.test(rest) || 'refused' in named)
      return unsuccessful('Name one: file delete activelog platform/cli/NAME.pcap');
    const removed = await captures.folder.remove(named.name);
    return removed === 'missing' ? unsuccessful(`There is no capture ${named.name}.`) : told(`Deleted ${named.name}.`);
  },
};

export const CAPTURE_COMMANDS: readonly Command[] = [CAPTURE, FILE_LIST, FILE_DELETE];

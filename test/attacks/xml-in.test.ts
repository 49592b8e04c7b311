import { describe, expect, it } from 'vitest';
import { authenticated, errorIn, header, openSecured, openStream } from '../support/peer-streams.ts';
import type { Wire } from '../support/raw-peer.ts';
import { ILL_FORMED, type IllFormed } from './ill-formed.ts';
import { told, underAttack } from './under-attack.ts';

const here = underAttack({ network: 41 });
const PARTS = { from: 'vngtp.lab', to: 'coluc.com' };
/** A sender of its own for every case: the log folds what one domain repeats. */
const parts = (): { from: string; to: string } => ({ from: here().freshDomain(), to: 'coluc.com' });

/** How the stream ends for bytes: the stream error, and the log's word for it. */
async function ending(wire: Wire, bytes: string | Uint8Array): Promise<{ error: string; sentence: string }> {
  const mark = here().box.log.mark();
  wire.send(bytes);
  const error = errorIn(await wire.end(2_000));
  return { error, sentence: await here().ended(wire, mark) };
}

describe('ill-formed XML from a peer that connected, before TLS', () => {
  it.each(ILL_FORMED.filter((each) => each.authenticated !== true))('$name', async (each) => {
    const wire = await here().box.connect();
    await openStream(wire, parts());
    const seen = await ending(wire, each.bytes);
    expect(seen.error).toMatch(each.error);
    expect(seen.sentence).toMatch(told(seen.error));
  });
});

describe('ill-formed XML from a peer that connected, inside TLS and not authenticated', () => {
  it.each(ILL_FORMED.filter((each) => each.authenticated !== true))('$name', async (each) => {
    const wire = await here().box.connect();
    const ours = parts();
    await openSecured(wire, ours, here().box.certificate(ours.from));
    const seen = await ending(wire, each.bytes);
    expect(seen.error).toMatch(each.error);
    expect(seen.sentence).toMatch(told(seen.error));
  });
});

describe('ill-formed XML from a partner that is authenticated', () => {
  it.each(ILL_FORMED)('$name', async (each) => {
    const wire = await authenticated(here().box, parts().from);
    const seen = await ending(wire, each.bytes);
    expect(seen.error).toMatch(each.error);
    expect(seen.sentence).toMatch(told(seen.error));
  });

  it.each(ILL_FORMED.filter((each) => typeof each.bytes !== 'string' && each.authenticated !== true))(
    'in the text of a stanza: $name',
    async (each) => {
      const wire = await authenticated(here().box, parts().from);
      const stanza = Buffer.concat([
        Buffer.from("<message from='x@vngtp.lab' to='eva@coluc.com'><body>"),
        Buffer.from(each.bytes),
        Buffer.from('</body></message>'),
      ]);
      const seen = await ending(wire, stanza);
      expect(seen.error).toMatch(each.error);
      expect(seen.sentence).toMatch(told(seen.error));
    },
  );
});

describe('ill-formed stream headers', () => {
  const ours = header(PARTS);
  const headers: readonly IllFormed[] = [
    { name: 'X-05: a DOCTYPE before the header', bytes: `<!DOCTYPE stream:stream>${ours}`, error: /^restricted-xml$/ },
    { name: 'X-03: a comment before the header', bytes: `<!-- x -->${ours}`, error: /^restricted-xml$/ },
    { name: 'X-04: a processing instruction before the header', bytes: `<?a b?>${ours}`, error: /^restricted-xml$/ },
    { name: 'X-08: XML 1.1', bytes: ours.replace("version='1.0'?", "version='1.1'?"), error: /^not-well-formed$/ },
    {
      name: 'X-09: UTF-16 by declaration',
      bytes: ours.replace('?>', " encoding='UTF-16'?>"),
      error: /^unsupported-encoding$/,
    },
    {
      name: 'X-09: ISO-8859-1',
      bytes: ours.replace('?>', " encoding='ISO-8859-1'?>"),
      error: /^unsupported-encoding$/,
    },
    {
      name: 'X-09: UTF-16 with a byte order mark',
      bytes: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(ours, 'utf16le')]),
      error: /^unsupported-encoding$/,
    },
    {
      name: 'X-09: UTF-16 without one',
      bytes: Buffer.from(ours, 'utf16le'),
      error: /^(unsupported-encoding|not-well-formed)$/,
    },
    {
      name: 'two byte order marks',
      bytes: Buffer.concat([Buffer.from('\uFEFF\uFEFF'), Buffer.from(ours)]),
      error: /^not-well-formed$/,
    },
    { name: 'S-53: an HTTP request', bytes: 'GET / HTTP/1.1\r\nHost: coluc.com\r\n\r\n', error: /^not-well-formed$/ },
    {
      name: 'S-53: a TLS ClientHello',
      bytes: Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
      error: /^(not-well-formed|none|unsupported-encoding)$/,
    },
    {
      name: 'S-48: an endless header',
      bytes: `${ours.slice(0, -1)} x='${'x'.repeat(100_000)}`,
      error: /^policy-violation$/,
    },
    {
      name: 'endless white space before the header',
      bytes: ' '.repeat(100_000),
      error: /^(policy-violation|not-well-formed)$/,
    },
    { name: 'a root that is no stream', bytes: "<a xmlns='urn:test'>", error: /^(invalid-namespace|bad-format)$/ },
    {
      name: 'a stream in another namespace',
      bytes: "<stream:stream xmlns:stream='http://example.com/' xmlns='jabber:server' to='coluc.com' version='1.0'>",
      error: /^invalid-namespace$/,
    },
    {
      name: 'a stream of a client',
      bytes: ours.replace('jabber:server', 'jabber:client'),
      error: /^invalid-namespace$/,
    },
    { name: 'another root name', bytes: ours.replace('<stream:stream', '<stream:steam'), error: /^bad-format$/ },
  ];
  it.each(headers)('$name', async (each) => {
    const bytes =
      typeof each.bytes === 'string' ? each.bytes.replace("from='vngtp.lab'", `from='${parts().from}'`) : each.bytes;
    const seen = await ending(await here().box.connect(), bytes);
    expect(seen.error).toMatch(each.error);
    expect(seen.sentence).toMatch(told(seen.error));
  });
});

describe('input that is good, however it comes', () => {
  it('X-23: a whole conversation of one octet per segment is understood', async () => {
    const wire = await here().box.connect();
    for (const octet of Buffer.from(header(PARTS))) wire.send(Uint8Array.of(octet));
    expect(await wire.expect('</stream:features>')).toContain('starttls');
    wire.destroy();
  });

  it('X-11: a stanza with every character cut in the middle arrives as it was', async () => {
    const wire = await authenticated(here().box, 'vngtp.lab');
    const text = 'ä€😀'.repeat(50);
    for (const octet of Buffer.from(`<message from='x@vngtp.lab' to='eva@coluc.com'><body>${text}</body></message>`))
      wire.send(Uint8Array.of(octet));
    expect(await here().box.home.wire.expect('</message>')).toContain(`<body>${text}</body>`);
    wire.destroy();
  });

  it('X-31: 256 KiB of anything costs about as much as 256 KiB of text', async () => {
    const { box } = here();
    const cost = async (content: string): Promise<number> => {
      const wire = await authenticated(box, 'vngtp.lab');
      const stanza = `<message from='x@vngtp.lab' to='eva@coluc.com'><x xmlns='urn:x'>${content}</x></message>`;
      const before = box.processorTime();
      for (let count = 0; count < 6; count++) {
        wire.send(stanza);
        await box.home.wire.expect('</message>');
      }
      wire.destroy();
      return box.processorTime() - before;
    };
    const size = 90_000;
    const plain = await cost('x'.repeat(size));
    for (const content of ['<a/>', '&#65;', "<a b=''/>", '&amp;'].map((each) => each.repeat(size / each.length)))
      expect(await cost(content)).toBeLessThan(10 * plain + 300);
  });

  it('X-26: a tag that comes one octet at a time until the limit does not cost quadratic time', async () => {
    const { box } = here();
    const wire = await authenticated(box, 'vngtp.lab');
    const before = box.processorTime();
    wire.send("<message from='x@vngtp.lab' to='eva@coluc.com'><body a='");
    for (let count = 0; count < 5_000; count++) wire.send('x'.repeat(53));
    expect(errorIn(await wire.end())).toBe('policy-violation');
    expect(box.processorTime() - before).toBeLessThan(3_000);
  });
});

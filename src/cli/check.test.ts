import { describe, expect, test } from 'vitest';
import { bootFile, KeptTerminal, load } from '../../test/cli/stand-ins.ts';
import { type CertificateFindings, checkConfig, counted } from './check.ts';

async function check(
  text: string | undefined,
  options: { json?: boolean; strict?: boolean } = {},
  found: CertificateFindings = { problems: [], warnings: [] },
) {
  const terminal = new KeptTerminal();
  const config = '/etc/fedway/fedway.yaml';
  const world = { terminal, load: () => load(text), examine: async () => found };
  const status = await checkConfig({ config, json: false, strict: false, ...options }, world);
  return { status, out: terminal.results, err: terminal.messages };
}

async function parse(text: string | undefined, strict = false): Promise<unknown> {
  return JSON.parse((await check(text, { json: true, strict })).out.join('\n'));
}

const WARNED = bootFile('coluc.com', 'partners: { rules: [{ domain: a.lab }] }');
const WRONG = bootFile('coluc.com', 'tls: none');

describe('fedway check config', () => {
  test('a good file: what it says, and status 0', async () => {
    expect(await check(bootFile('coluc.com'))).toEqual({
      status: 0,
      out: [
        'Checking the configuration in /etc/fedway/fedway.yaml...',
        '    coluc.com: served by 10.0.0.10:5269 over S2S',
        '    partners: 192.0.2.2:5269; TLS required; allowed without a rule; no rules',
        'Done.',
        '',
        'All checks passed, congratulations!',
      ],
      err: [],
    });
  });

  test('each way to a server inside, the rules and the steering responder are said in words', async () => {
    const more = `dns: { listen: ["10.0.0.2:53"], answer: ["10.0.0.2"] }
partners: { default: deny, rules: [{ domain: a.lab, federation: allow }] }`;
    const homes = `  - { domains: [b.example], certificate: a.pem, key: a.key, server: { component: { address: "10.0.0.11:5347", secret: { env: SECRET }, domains: [a.lab] } } }
  - { domains: [c.example], certificate: a.pem, key: a.key, server: { accept_component: { secret: { env: SECRET } } } }
inside: { component_listen: ["10.0.0.2:5347"], `;
    const { status, out } = await check(bootFile('coluc.com', more).replace('inside: {', homes));
    expect(status).toBe(0);
    expect(out.slice(2, 6)).toEqual([
      '    b.example: served by 10.0.0.11:5347 over components',
      '    c.example: served by the component that connects',
      '    partners: 192.0.2.2:5269; TLS required; denied without a rule; 1 rule',
      '    steering: 10.0.0.2:53 answers 10.0.0.2',
    ]);
  });

  test('problems: each on a line of standard output, and status 2', async () => {
    const { status, out, err } = await check(WRONG);
    expect(status).toBe(2);
    expect(out).toEqual([
      'Checking the configuration in /etc/fedway/fedway.yaml...',
      expect.stringMatching(/^\/etc\/fedway\/fedway\.yaml:11:1: tls: there is no such key at the top level\. /),
      'Done.',
      '',
      'Problems found, see above: 1 error.',
    ]);
    expect(err).toEqual([]);
  });

  test('a warning leaves the status at 0, and --strict makes it 2', async () => {
    expect(await check(WARNED)).toMatchObject({ status: 0 });
    expect((await check(WARNED)).out.at(-1)).toBe('All checks passed, with 1 warning: see above.');
    expect(await check(WARNED, { strict: true })).toMatchObject({ status: 2 });
    expect((await check(WARNED, { strict: true })).out.at(-1)).toBe('Problems found, see above: 1 warning.');
  });

  test('no such file: status 1, and the cause and the cure on standard error', async () => {
    const { status, err } = await check(undefined);
    expect(status).toBe(1);
    expect(err).toEqual([
      'fedway: the boot file /etc/fedway/fedway.yaml cannot be read: no such file or directory. Name another one with --config; fedway.example.yaml is a commented one to start from.',
    ]);
  });

  test('--json: one object on standard output, whatever happens', async () => {
    expect(await parse(bootFile('coluc.com'))).toEqual({
      path: '/etc/fedway/fedway.yaml',
      ok: true,
      errors: 0,
      warnings: 0,
      problems: [],
      certificates: { problems: [], warnings: [] },
    });
    expect(await parse(WRONG)).toMatchObject({
      ok: false,
      errors: 1,
      problems: [{ severity: 'error', path: '/etc/fedway/fedway.yaml', line: 11, column: 1, key: 'tls' }],
    });
    expect(await parse(WARNED, true)).toMatchObject({ ok: false, errors: 0, warnings: 1 });
    expect(await parse(undefined)).toMatchObject({
      ok: false,
      unreadable: expect.stringContaining('no such file') as string,
    });
  });

  test('a certificate that cannot be used is a problem, one that partners may refuse a warning', async () => {
    const bad = {
      problems: ['key coluc.com.key: does not fit the certificate; write both from one request'],
      warnings: [],
    };
    const { status, out } = await check(bootFile('coluc.com'), {}, bad);
    expect(status).toBe(2);
    expect(out.slice(3)).toEqual([bad.problems[0], 'Done.', '', 'Problems found, see above: 1 error.']);
    const doubtful = { problems: [], warnings: ['certificate coluc.com.pem: expired'] };
    expect((await check(bootFile('coluc.com'), {}, doubtful)).out.at(-1)).toBe(
      'All checks passed, with 1 warning: see above.',
    );
    expect(await check(bootFile('coluc.com'), { strict: true }, doubtful)).toMatchObject({ status: 2 });
  });

  test('counts read as people say them', () => {
    expect([counted(0, 'error'), counted(1, 'error'), counted(2, 'error')]).toEqual(['', '1 error', '2 errors']);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bootFile } from '../../test/cli/stand-ins.ts';
import { settled, Trial } from '../../test/cli/trial.ts';

describe('fedway run: starting', () => {
  test('no boot file: status 1, and a message that says what to do', async () => {
    const trial = new Trial(undefined);
    expect(await trial.run()).toBe(1);
    expect(trial.terminal.messages).toEqual([
      'fedway: not started: the boot file /etc/fedway/fedway.yaml cannot be read: no such file or directory. Name another one with --config; fedway.example.yaml is a commented one to start from.',
    ]);
  });

  test('a bad boot file: status 2, every problem and how many there are', async () => {
    const trial = new Trial(bootFile('coluc.com', 'tls: none\nlog: { level: loud }'));
    expect(await trial.run()).toBe(2);
    expect(trial.boots).toEqual([]);
    expect(trial.terminal.messages).toEqual([
      expect.stringContaining('fedway.yaml:11:1: tls: there is no such key') as string,
      expect.stringContaining('fedway.yaml:12:15: log.level: "loud" is not one of') as string,
      'fedway: not started: 2 errors in /etc/fedway/fedway.yaml, see above.',
    ]);
    expect(trial.terminal.results).toEqual([]);
  });

  test('warnings are told, and the box starts; its status is the status of the process', async () => {
    const trial = new Trial(bootFile('coluc.com', 'partners: { rules: [{ domain: a.lab }] }'));
    const running = trial.run();
    expect(trial.terminal.messages).toEqual([expect.stringContaining('warning: partners.rules[0]')]);
    trial.start();
    await settled();
    expect(trial.told).toEqual(['READY=1', 'STATUS=Federating']);
    trial.end(0);
    expect(await running).toBe(0);
    expect(trial.signals.attached).toBe(0);
  });

  test('a box that cannot start says so itself: its status is passed on, and systemd is not told that it is ready', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    expect(await trial.run({}, async () => 1)).toBe(1);
    expect(trial.told).toEqual([]);
  });

  test('a fault of fedway itself ends with status 1 and its stack', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    expect(await trial.run({}, () => Promise.reject(new TypeError('undefined is not a stream')))).toBe(1);
    expect(trial.terminal.messages[0]).toMatch(
      /^fedway: ended by a fault of its own: TypeError: undefined is not a stream\n +at /,
    );
    expect(trial.signals.attached).toBe(0);
  });

  test('--log-format and --log-level stand in place of what the file says, after a reload too', async () => {
    const trial = new Trial(bootFile('coluc.com', 'log: { level: debug }'));
    void trial.run({ logFormat: 'expressway', logLevel: 'verbose' });
    expect(trial.boots[0]?.log).toMatchObject({ format: 'expressway', level: 'verbose' });
    const reloaded: string[] = [];
    trial.box.steps.reload = async ({ log }) => {
      reloaded.push(log.format, log.level);
      return [];
    };
    trial.start();
    trial.signals.send('SIGHUP');
    await settled();
    expect(reloaded).toEqual(['expressway', 'verbose']);
  });
});

describe('fedway run: SIGHUP', () => {
  test('the boot file is read again and taken over, and systemd is told of both ends', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    await settled();
    trial.text = bootFile('other.com');
    trial.signals.send('SIGHUP');
    await settled();
    expect(trial.box.asked).toEqual(['reload other.com']);
    expect(trial.told.slice(2)).toEqual(['RELOADING=1 MONOTONIC_USEC=n', 'READY=1']);
    expect(trial.box.notes).toEqual([]);
  });

  test('keys that wait for a restart are named', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    trial.box.steps.reload = async () => ['s2s.listen', 'dns.listen'];
    trial.signals.send('SIGHUP');
    await settled();
    expect(trial.terminal.messages).toEqual([
      'fedway: reloaded; these changes wait for a restart: s2s.listen, dns.listen.',
    ]);
  });

  test.each([
    ['has a problem', bootFile('coluc.com', 'tls: none'), 'tls: there is no such key'],
    ['is gone', undefined, 'no such file or directory'],
  ])('a boot file that %s changes nothing, and the log says why', async (_how, text, why) => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    trial.text = text;
    trial.signals.send('SIGHUP');
    await settled();
    expect(trial.box.asked).toEqual([]);
    expect(trial.box.notes).toEqual([
      { note: 'config-refused', path: '/etc/fedway/fedway.yaml', problems: [expect.stringContaining(why)] },
    ]);
    expect(trial.told.at(-1)).toBe('STATUS=Federating; the last reload was refused, see the log');
  });

  test('what the box itself refuses, such as a certificate, is told in the same way', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    trial.box.steps.reload = () => Promise.reject(new Error('a.pem: the key does not fit the certificate'));
    trial.signals.send('SIGHUP');
    await settled();
    expect(trial.box.notes).toMatchObject([
      { note: 'config-refused', problems: ['a.pem: the key does not fit the certificate'] },
    ]);
  });

  test('a fault of ours while the file is read is told too, and does not end the process', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    Object.defineProperty(trial, 'text', { get: failing });
    trial.signals.send('SIGHUP');
    await settled();
    expect(trial.box.notes).toMatchObject([{ note: 'config-refused', problems: ['nobody thought of this'] }]);
  });

  test('signals during a reload make one more reload, after it', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    const first = Promise.withResolvers<readonly string[]>();
    trial.box.steps.reload = () => first.promise;
    for (let count = 0; count < 5; count += 1) trial.signals.send('SIGHUP');
    await settled();
    expect(trial.box.asked).toHaveLength(1);
    first.resolve([]);
    await settled();
    expect(trial.box.asked).toHaveLength(2);
    trial.signals.send('SIGHUP');
    await settled();
    expect(trial.box.asked).toHaveLength(3);
  });

  test('a signal before the box runs is kept until it does', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.signals.send('SIGHUP');
    expect(trial.reads).toBe(1);
    trial.start();
    await settled();
    expect(trial.box.asked).toEqual(['reload coluc.com']);
  });
});

describe('fedway run: SIGTERM and SIGINT', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s drains, and the status is that of the box', async (signal) => {
    const trial = new Trial(bootFile('coluc.com'));
    const running = trial.run();
    trial.start();
    trial.signals.send(signal);
    expect(trial.box.asked).toEqual(['drain']);
    expect(trial.told.at(-1)).toBe('STOPPING=1 STATUS=Closing streams');
    trial.end(0);
    expect(await running).toBe(0);
    expect(trial.signals.exits).toEqual([]);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('a second one, %s, stops and ends at once with status %d', async (signal, status) => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    trial.box.steps.drain = () => new Promise(() => undefined);
    trial.signals.send('SIGTERM');
    trial.signals.send(signal);
    await settled();
    expect(trial.box.asked).toEqual(['drain', 'stop']);
    expect(trial.signals.exits).toEqual([status]);
  });

  test('a box that does not stop is ended after two seconds all the same', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    trial.box.steps.drain = () => new Promise(() => undefined);
    trial.box.steps.stop = () => new Promise(() => undefined);
    trial.signals.send('SIGTERM');
    trial.signals.send('SIGTERM');
    await vi.advanceTimersByTimeAsync(1999);
    expect(trial.signals.exits).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(trial.signals.exits).toEqual([143]);
  });

  test('a box that fails to drain is stopped, and one that fails to stop is told of', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    trial.box.steps.drain = () => Promise.reject(new Error('stuck'));
    trial.box.steps.stop = () => Promise.reject(new Error('stuck again'));
    trial.signals.send('SIGTERM');
    await settled();
    expect(trial.box.asked).toEqual(['drain', 'stop']);
    expect(trial.terminal.messages).toEqual([
      'fedway: could not end in good order: Error: stuck',
      'fedway: could not stop: Error: stuck again',
    ]);
  });

  test('before the box runs: it ends as soon as it does, and a second one does not wait for that', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.signals.send('SIGTERM');
    expect(trial.terminal.messages).toEqual([
      'fedway: ends as soon as it has started; SIGTERM once more ends it at once.',
    ]);
    trial.start();
    expect(trial.box.asked).toEqual(['drain']);
    expect(trial.told).not.toContain('READY=1');

    const other = new Trial(bootFile('coluc.com'));
    void other.run();
    other.signals.send('SIGINT');
    other.signals.send('SIGINT');
    await settled();
    expect(other.signals.exits).toEqual([130]);
  });

  test('a SIGHUP while it ends is too late', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    trial.signals.send('SIGTERM');
    trial.signals.send('SIGHUP');
    await settled();
    expect(trial.box.asked).toEqual(['drain']);
  });
});

function failing(): never {
  throw new Error('nobody thought of this');
}

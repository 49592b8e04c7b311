import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LabProcess, launch, tail } from '../../test/lab/processes.ts';
import { leaf } from '../../test/support/certificates.ts';
import { notTested } from '../../test/support/not-tested.ts';
import { installInto } from '../testing/installed.ts';

const NAMESPACES = ['--mount', '--pid', '--fork', '--net', '--uts', '--ipc', '--cgroup', '--kill-child'];

/** Below 1024: the right to listen there comes with the unit. */
const BOOT_FILE = `role: edge
name: edge-1
data: /var/lib/fedway
admin_socket: /run/fedway/admin.sock
link: { listen: ["127.0.0.1:740"] }
s2s: { listen: ["0.0.0.0:5269"] }
homes:
  - domains: [coluc.com]
    certificate: certs/coluc.com.pem
    key: certs/coluc.com.key
`;

const NODE_FILE = `domain: coluc.com
name: imp-1
data: /var/lib/fedway-imp
admin_socket: /run/fedway-imp/imp.sock
certificate: certs/coluc.com.pem
key: certs/coluc.com.key
clients: { listen: ["127.0.0.1:5222"], websocket_listen: ["127.0.0.1:443"] }
axl: { listen: ["127.0.0.1:8443"] }
router: { listen: ["127.0.0.1:7400"], secret: { file: router.secret } }
`;

/** Why systemd cannot be booted here; `undefined`: it can. */
function obstacle(): string | undefined {
  if (!existsSync('/lib/systemd/systemd')) return 'systemd is not installed. Debian: apt-get install systemd';
  const script =
    'mount -t tmpfs t /mnt && cd /mnt && mkdir u w r && mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w r && mount -t cgroup2 c r/sys';
  const { status, stderr } = spawnSync('unshare', [...NAMESPACES, 'sh', '-c', script], { encoding: 'utf8' });
  return status === 0 ? undefined : `That takes root, overlayfs and cgroup2. What was said: ${stderr.trim()}`;
}

describe.skipIf(notTested('fedway as a service of a booted systemd', obstacle()))(
  'fedway as a service of a booted systemd',
  () => {
    let installed: ReturnType<typeof installInto>;
    let machine: LabProcess;
    let init = '';
    beforeAll(async () => {
      installed = installInto('/usr');
      const { folder } = installed;
      const tree = path.join(folder, 'tree');
      mkdirSync(tree);
      spawnSync('mv', [path.join(folder, 'usr'), tree]);
      mkdirSync(path.join(folder, 'etc/certs'), { recursive: true });
      const { chainPem, keyPem } = leaf('coluc.com', undefined, {});
      writeFileSync(path.join(folder, 'etc/certs/coluc.com.pem'), chainPem);
      writeFileSync(path.join(folder, 'etc/certs/coluc.com.key'), keyPem);
      writeFileSync(path.join(folder, 'etc/fedway.yaml'), BOOT_FILE);
      writeFileSync(path.join(folder, 'etc/imp.yaml'), NODE_FILE);
      writeFileSync(path.join(folder, 'etc/router.secret'), '0123456789abcdef');
      machine = launch({
        name: 'the machine',
        command: 'unshare',
        args: [...NAMESPACES, path.join(import.meta.dirname, 'boot-machine.sh'), folder],
        cwd: '/',
        outputFile: path.join(folder, 'machine.out'),
      });
      const deadline = performance.now() + 60_000;
      while (init === '' || run('systemctl', 'is-active', 'fedway') !== 'active') {
        machine.assertRunning();
        if (performance.now() > deadline) throw new Error(`not up after a minute:\n${tail(machine.outputFile, 40)}`);
        await pause(200);
        init = readFileSync(`/proc/${machine.pid}/task/${machine.pid}/children`, 'utf8').trim();
      }
    });
    afterAll(async () => {
      await machine?.kill();
      installed?.remove();
    });

    /** Runs a command in the machine; what it printed, without the line feed at the end. */
    function run(command: string, ...args: readonly string[]): string {
      const { stdout } = spawnSync('nsenter', ['-t', init, '-m', '-p', '-n', '--', command, ...args], {
        encoding: 'utf8',
      });
      return stdout.trim();
    }
    const shown = (property: string, unit = 'fedway'): string =>
      run('systemctl', 'show', '--value', '--property', property, unit);
    const node = (property: string): string => shown(property, 'fedway-imp');
    const shell = (script: string): string => run('sh', '-c', script);
    const journal = (unit = 'fedway'): string => run('journalctl', '--no-pager', '--unit', unit);

    test('it is up when it listens, also on a port below 1024, and says how it is', () => {
      expect(journal()).toContain('Listening on 127.0.0.1:740 for Link.');
      expect(shown('StatusText')).toContain('No Core is paired with this Edge');
      expect(run('fedway', 'status')).toContain('Edge edge-1');
    });

    test('it is nobody in particular: one capability, no new ones, system calls filtered', () => {
      const status = shell(`cat /proc/${shown('MainPID')}/status`);
      const value = (key: string): string => new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
      expect(value('Uid')).not.toBe('0');
      // CAP_NET_BIND_SERVICE is bit 10.
      const sets = ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => Number.parseInt(value(set), 16));
      expect(sets).toEqual([1 << 10, 1 << 10, 1 << 10, 1 << 10]);
      expect(value('NoNewPrivs')).toBe('1');
      expect(value('Seccomp')).toBe('2');
    });

    test('it can write its data and its socket, and nothing else', () => {
      const writable = shell(`nsenter -t ${shown('MainPID')} -m sh -c '
      for d in / /etc /etc/fedway /usr /usr/lib/fedway /var /var/lib /home /root /var/lib/fedway /run/fedway; do
        touch $d/trial 2>/dev/null && rm $d/trial && echo $d; done'`);
      expect(writable.split('\n')).toEqual(['/var/lib/fedway', '/run/fedway']);
    });

    test('what it keeps is for its eyes only', () => {
      const open = shell(
        'find /var/lib/fedway /run/fedway -perm /077; find /var/lib/fedway /run/fedway ! -user fedway',
      );
      expect(open).toBe('');
      expect(shell('ls /var/lib/fedway')).toContain('clusterdb.sqlite');
    });

    test('root reaches it by the command line, another user does not', () => {
      const asNobody =
        'setpriv --reuid=65534 --regid=65534 --clear-groups fedway status --socket /run/fedway/admin.sock';
      expect(shell('fedway status --socket /run/fedway/admin.sock >/dev/null 2>&1; echo $?')).not.toBe('1');
      expect(shell(`${asNobody} >/dev/null 2>&1; echo $?`)).toBe('1');
    });

    test('a reload is taken over without a restart', async () => {
      const pid = shown('MainPID');
      shell(`sed -i 's/coluc.com]/coluc.com, example.org]/' /etc/fedway/fedway.yaml && systemctl reload fedway`);
      await expect
        .poll(() => journal(), { timeout: 10_000 })
        .toMatch(/is in force; our domains: coluc\.com, example\.org/);
      expect(shown('MainPID')).toBe(pid);
      expect(shown('ActiveState')).toBe('active');
    });

    test('killed, it is started again', async () => {
      const pid = shown('MainPID');
      const restarts = Number(shown('NRestarts'));
      shell(`kill -9 ${pid}`);
      await expect.poll(() => Number(shown('NRestarts')), { timeout: 20_000 }).toBe(restarts + 1);
      await expect.poll(() => shown('ActiveState'), { timeout: 20_000 }).toBe('active');
      expect(shown('MainPID')).not.toBe(pid);
    });

    test('hung, the watchdog ends it, and it is started again', async () => {
      const restarts = Number(shown('NRestarts'));
      shell(`kill -STOP ${shown('MainPID')}`);
      await expect.poll(() => Number(shown('NRestarts')), { timeout: 40_000, interval: 500 }).toBe(restarts + 1);
      await expect.poll(() => shown('ActiveState'), { timeout: 20_000 }).toBe('active');
      expect(journal()).toContain('Watchdog timeout');
    });

    test('with a boot file that has problems it is not tried again and again', async () => {
      shell(`cp /etc/fedway/fedway.yaml /tmp/good && echo 'nonsense: true' >>/etc/fedway/fedway.yaml`);
      shell('systemctl restart fedway');
      await expect.poll(() => shown('ActiveState'), { timeout: 20_000 }).toBe('failed');
      expect(shown('ExecMainStatus')).toBe('2');
      expect(shown('NRestarts')).toBe('0');
      shell('cat /tmp/good >/etc/fedway/fedway.yaml && systemctl restart fedway');
      expect(shown('ActiveState')).toBe('active');
    });

    test('told to stop, it ends in good order', () => {
      shell('systemctl stop fedway');
      expect([shown('ActiveState'), shown('Result'), shown('ExecMainStatus')]).toEqual(['inactive', 'success', '0']);
      expect(journal()).toContain('Stopped.');
    });

    describe('the IM&P node beside it', () => {
      beforeAll(() => {
        shell('systemctl start fedway fedway-imp');
      });

      test('is up when it listens, also on a port below 1024, and says how it is', () => {
        expect(journal('fedway-imp')).toContain('Listening on 127.0.0.1:443 for ');
        expect(node('ActiveState')).toBe('active');
        expect(node('StatusText')).toContain('0 of 0 Edges connected');
        expect(shell('fedway imp status; echo $?')).toMatch(/IM&P node\s+imp-1[^]*\n0$/);
      });

      test('takes users, and answers SQL, which is a process of its own, with no more rights than it has', () => {
        expect(shell('echo wonderland | fedway imp user add alice -')).toContain('alice');
        expect(shell('fedway imp shell run sql select userid from enduser')).toMatch(/userid\n=+\nalice/);
        const status = shell(`cat /proc/${node('MainPID')}/status`);
        expect(status).toMatch(/^CapBnd:\s+0000000000000400$/m);
        expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
      });

      test('keeps what people write from the box on the same machine', () => {
        expect(shell('stat -c "%U %a" /var/lib/fedway-imp /run/fedway-imp')).toBe('fedway-imp 700\nfedway-imp 700');
        expect(shell('find /var/lib/fedway-imp /run/fedway-imp -perm /077')).toBe('');
        expect(shell('runuser -u fedway -- cat /var/lib/fedway-imp/imp.db; echo $?')).toBe('1');
        const writable = shell(`nsenter -t ${node('MainPID')} -m -S $(id -u fedway-imp) -G $(id -g fedway-imp) sh -c '
        for d in / /etc /etc/fedway /usr /var/lib /home /root /var/lib/fedway /run/fedway /var/lib/fedway-imp /run/fedway-imp; do
          touch $d/trial 2>/dev/null && rm $d/trial && echo $d; done'`);
        expect(writable.split('\n')).toEqual(['/var/lib/fedway-imp', '/run/fedway-imp']);
      });

      test('is reloaded without a restart, and hung it is started again with its users', async () => {
        const pid = node('MainPID');
        shell('systemctl reload fedway-imp');
        await expect.poll(() => node('ActiveState'), { timeout: 10_000 }).toBe('active');
        expect(node('MainPID')).toBe(pid);
        const restarts = Number(node('NRestarts'));
        shell(`kill -STOP ${pid}`);
        await expect.poll(() => Number(node('NRestarts')), { timeout: 40_000, interval: 500 }).toBe(restarts + 1);
        await expect.poll(() => node('ActiveState'), { timeout: 20_000 }).toBe('active');
        expect(shell('fedway imp user list')).toContain('alice@coluc.com');
      });

      test('told to stop, it ends in good order, and the box goes on', () => {
        shell('systemctl stop fedway-imp');
        expect([node('ActiveState'), node('Result'), node('ExecMainStatus')]).toEqual(['inactive', 'success', '0']);
        expect(shown('ActiveState')).toBe('active');
      });
    });
  },
);

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { waitForPort } from '../../../test/lab/addresses.ts';
import { HOME, launchOnCore, PARTNER, SECRET, type Setting, type System } from '../setting.ts';
import { xmppWay } from '../xmpp-way.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The full product: everything that can have a default has it. `root` is its checkout, without: this one. */
export function fedway(root = ROOT): System {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return {
    title: `fedway ${version}${root === ROOT ? '' : ` in ${root}`}`,
    async start(setting) {
      const { folder, system, inside } = setting;
      writeFileSync(path.join(folder, 'dialback.secret'), `${SECRET}\n`, { mode: 0o600 });
      writeFileSync(path.join(folder, 'component.secret'), `${SECRET}\n`, { mode: 0o600 });
      writeFileSync(path.join(folder, 'fedway.yaml'), stringify(configuration(setting)));
      const command = [path.join(root, 'bin/fedway'), 'run', '--config', path.join(folder, 'fedway.yaml')] as const;
      const started = launchOnCore(setting, { name: 'fedway', command: [...command] });
      await waitForPort(system, 5269, 20_000, () => started.assertRunning());
      await waitForPort(inside, 5347, 20_000, () => started.assertRunning());
      return started;
    },
    open: (setting, direction) => xmppWay(setting, direction, setting.inside),
  };
}

function configuration({ system, inside, partner, authority }: Setting): object {
  const own = authority.issue([HOME]);
  return {
    role: 'single',
    s2s: {
      listen: [`${system}:5269`],
      dialback_secret: { file: 'dialback.secret' },
      trust: { system: false, authorities: [authority.root] },
    },
    homes: [
      {
        domains: [HOME],
        certificate: own.certificate,
        key: own.key,
        server: { accept_component: { secret: { file: 'component.secret' } } },
      },
    ],
    inside: { listen: [`${inside}:5269`], component_listen: [`${inside}:5347`] },
    partners: { rules: [{ domain: PARTNER, route: [`${partner}:5269`] }] },
  };
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createHost } from '../../test/hosts/host.ts';
import { missingForHosts } from '../../test/hosts/requirements.ts';
import { waitForPort } from '../../test/lab/addresses.ts';
import { missingPackages } from '../../test/lab/requirements.ts';
import { leaf } from '../../test/support/certificates.ts';
import { notTested } from '../../test/support/not-tested.ts';

const CONFIGURATION = readFileSync(path.join(import.meta.dirname, 'prosody/prosody.cfg.lua'), 'utf8');

const missing = [
  ...missingForHosts(),
  ...missingPackages(['prosody']).map(({ package: name }) => `not installed: ${name}`),
];

test.skipIf(
  notTested("Prosody with compose.yaml's configuration", missing.length === 0 ? undefined : missing.join('\n')),
)(
  "real Prosody starts with compose.yaml's configuration, without a warning, and finds its certificates by their names",
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fedway-prosody-'));
    const certs = path.join(folder, 'certs');
    mkdirSync(certs);
    const { chainPem, keyPem } = leaf(['coluc.com', 'conference.coluc.com'], undefined, {});
    writeFileSync(path.join(certs, 'coluc.com.crt'), chainPem);
    writeFileSync(path.join(certs, 'coluc.com.key'), keyPem, { mode: 0o600 });
    // The image has these places, and a user of its own.
    const local = CONFIGURATION.replace('/run/prosody/', `${folder}/`)
      .replace('/var/lib/prosody', `${folder}/data`)
      .replace('/etc/prosody/certs', certs);
    writeFileSync(path.join(folder, 'prosody.cfg.lua'), `run_as_root = true\n${local}`);
    const host = await createHost({ name: 'prosody', folder: path.join(folder, 'host'), resolver: undefined });
    try {
      const outputFile = path.join(folder, 'prosody.out');
      const prosody = host.launch({
        name: 'Prosody',
        command: 'prosody',
        args: ['-F', '--config', path.join(folder, 'prosody.cfg.lua')],
        cwd: folder,
        outputFile,
      });
      for (const port of [5222, 5269])
        await waitForPort('127.0.0.1', port, 30_000, () => prosody.assertRunning(), host);
      const complaints = readFileSync(outputFile, 'utf8')
        .split('\n')
        .filter((line) => /\b(?:warn|error)\b/.test(line));
      expect(complaints).toEqual([]);
    } finally {
      await host.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

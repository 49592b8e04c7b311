import { readFileSync } from 'node:fs';

/** fedway's version, from the package it was installed as. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const found: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined;
  if (typeof found !== 'string') throw new Error('package.json has no version');
  return found;
}

/** `fedway 0.1.0 (Node 24.21.0, OpenSSL 3.5.4)`: what a report of a fault should begin with. */
export function versionLine(): string {
  return `fedway ${version()} (Node ${process.versions.node}, OpenSSL ${process.versions.openssl})`;
}

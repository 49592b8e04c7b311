/**
 * Prints the Debian packages that are not installed and that a lab with the given servers needs, one line, ready for apt-get.
 * Usage: missing-packages.ts prosody ejabberd jabberd2
 */
import { missingPackages } from '../test/lab/requirements.ts';

const servers = ['prosody', 'ejabberd', 'jabberd2'] as const;
const wanted = servers.filter((server) => process.argv.slice(2).includes(server));
console.log(
  missingPackages(wanted)
    .map((one) => one.package)
    .join(' '),
);

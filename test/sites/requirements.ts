import { spawnSync } from 'node:child_process';
import { found, type Requirement } from '../lab/requirements.ts';

/** Debian's own: slixmpp is a package for it, and another Python may come first in the `PATH`. */
export const PYTHON = '/usr/bin/python3';

/** Clients of others, and what opens captures. */
export const SITES_NEED: readonly Requirement[] = [
  {
    package: 'python3-slixmpp',
    why: 'a client (slixmpp)',
    present: () => spawnSync(PYTHON, ['-c', 'import slixmpp']).status === 0,
  },
  { package: 'profanity', why: 'a client (profanity)', present: () => found('profanity') },
  { package: 'go-sendxmpp', why: 'a client (go-sendxmpp)', present: () => found('go-sendxmpp') },
  { package: 'tshark', why: 'opens captures', present: () => found('tshark') },
];

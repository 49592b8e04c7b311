import { describe } from 'vitest';
import type { Organization } from '../lab/organization.ts';
import { conversationTests } from './checks.ts';
import { homeInside, partner } from './failures.ts';
import { withLab } from './with-lab.ts';

const COLUC = homeInside();
const SECOND: Organization = { ...homeInside('ejabberd'), domain: 'second.example', users: ['carol'] };
/** Checks fedway's certificate against the name: it has to be the right one of two. */
const REMOTE: Organization = { ...partner('vngtp.lab', 'prosody', 'ca'), users: ['bob'] };

describe('two home domains on different servers behind one fedway, each with its own certificate', () => {
  const lab = withLab({
    name: 'interop-homes',
    organizations: [COLUC, SECOND, REMOTE],
    fedway: { tls: 'required', authentication: 'external' },
  });
  describe('scenario 51: coluc.com, Prosody', () => {
    conversationTests(lab, COLUC, REMOTE);
  });
  describe('scenario 52: second.example, ejabberd', () => {
    conversationTests(lab, SECOND, REMOTE);
  });
});

import { notTested } from '../support/not-tested.ts';
import { missingForHosts } from './requirements.ts';

const missing = missingForHosts();

/** Hosts cannot be built here. */
export const noHosts = notTested(
  'Edge and Core as hosts with a firewall between them',
  missing.length === 0 ? undefined : missing.join('\n'),
);

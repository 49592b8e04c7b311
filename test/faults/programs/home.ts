/**
 * A server inside as a process of its own, to be killed: a component that sends messages at a rate and tells what it sends and is given, one
 * line each, before anything else happens.
 *
 *   node home.ts '{"domain": ..., "secret": ..., "listener": ..., "address": ..., "partners": [...], "perSecond": ..., "sent": {...}}'
 */
import { writeSync } from 'node:fs';
import { CountedHome } from '../../support/counted-home.ts';
import type { HomeEvent, HomeOrders } from '../../support/home-process.ts';
import type { Flow } from '../../support/ledger.ts';
import { Load } from '../../support/load.ts';

const { perSecond, sent, ...plan } = JSON.parse(process.argv[2] ?? '') as HomeOrders;
const counts = new Map<Flow, number>(Object.entries(sent) as [Flow, number][]);

function tell(event: HomeEvent): void {
  // Not by a stream: what is told must be out before the process can be killed for the next step.
  writeSync(1, `${JSON.stringify(event)}\n`);
}

const home = new CountedHome({
  ...plan,
  recorder: {
    sent(flow) {
      const number = (counts.get(flow) ?? 0) + 1;
      counts.set(flow, number);
      tell({ is: 'sent', flow });
      return number;
    },
    arrived: (flow, number) => tell({ is: 'arrived', flow, number }),
    bounced: (flow, number, bounce) => tell({ is: 'bounced', flow, number, bounce }),
    strange: (what) => tell({ is: 'strange', what }),
  },
});
const load = new Load([home], perSecond).start();
// A line ends the sending; what arrives is told until the process is ended.
process.stdin.once('data', () => load.stop());

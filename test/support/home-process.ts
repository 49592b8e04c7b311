import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { CountedHomePlan } from './counted-home.ts';
import type { Bounce, Flow, Ledger } from './ledger.ts';

const PROGRAM = fileURLToPath(new URL('../faults/programs/home.ts', import.meta.url));

/** What the process is started with. */
export interface HomeOrders extends Omit<CountedHomePlan, 'recorder'> {
  readonly perSecond: number;
  /** How many messages of each flow were sent before. */
  readonly sent: Readonly<Record<Flow, number>>;
}

/** What the process tells. */
export type HomeEvent =
  | { readonly is: 'sent'; readonly flow: Flow }
  | { readonly is: 'arrived'; readonly flow: Flow; readonly number: number }
  | { readonly is: 'bounced'; readonly flow: Flow; readonly number: number; readonly bounce: Bounce }
  | { readonly is: 'strange'; readonly what: string };

/** A server inside that runs as a process of its own and writes to all partners, so that it can be killed. */
export class HomeProcess implements AsyncDisposable {
  readonly flows: readonly Flow[];
  private readonly plan: CountedHomePlan;
  private readonly perSecond: number;
  private readonly ledger: Ledger;
  private child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  private told: Promise<unknown> = Promise.resolve();

  constructor(plan: Omit<CountedHomePlan, 'recorder'>, ledger: Ledger, perSecond: number) {
    this.plan = { ...plan, recorder: ledger };
    this.ledger = ledger;
    this.perSecond = perSecond;
    this.flows = plan.partners.map((partner): Flow => `${plan.domain}>${partner}`);
  }

  start(): void {
    const { recorder: _, ...plan } = this.plan;
    const sent = Object.fromEntries(this.flows.map((flow) => [flow, this.ledger.countOf(flow)]));
    const orders: HomeOrders = { ...plan, perSecond: this.perSecond, sent };
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(orders)], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => undefined);
    const killed = (): void => void child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.off('exit', killed));
    const lines = createInterface(child.stdout);
    lines.on('line', (line) => this.take(line));
    this.told = once(lines, 'close');
    this.child = child;
  }

  /** It sends no more. */
  quieten(): void {
    this.child?.stdin.write('\n');
  }

  /** `kill -9`. Returns when the process is gone, and everything it has told is written down. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.child = undefined;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await Promise.all([gone, this.told]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  private take(line: string): void {
    // A process that is killed may leave half a line.
    if (!line.endsWith('}')) return;
    const event = JSON.parse(line) as HomeEvent;
    if (event.is === 'sent') this.ledger.sent(event.flow);
    else if (event.is === 'arrived') this.ledger.arrived(event.flow, event.number);
    else if (event.is === 'bounced') this.ledger.bounced(event.flow, event.number, event.bounce);
    else this.ledger.strange(event.what);
  }
}

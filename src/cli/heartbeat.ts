import type { ServiceManager } from './systemd.ts';

/** How often the service manager's status line is made anew; it is sent when it has changed. */
const STATUS_MS = 5_000;

/** Keeps the service manager informed while a service runs: that the process lives, and how the service is. */
export class Heartbeat {
  readonly #service: ServiceManager;
  readonly #inAWord: () => Promise<string>;
  readonly #timers: NodeJS.Timeout[] = [];
  #said: string | undefined;
  #remark = '';
  #asking = false;
  /** Something has changed since the service was asked. */
  #stale = false;
  #stopped = false;

  /** `inAWord` says in a line how the service is. */
  constructor(service: ServiceManager, inAWord: () => Promise<string>) {
    this.#service = service;
    this.#inAWord = inAWord;
    void this.#tellStatus();
    this.#timers.push(setInterval(() => void this.#tellStatus(), STATUS_MS));
    const { watchdog } = service;
    // sd_watchdog_enabled(3) recommends half of the time. A loop that does not turn sends nothing: the timer fires in one phase of the loop and
    // the message leaves in another.
    if (watchdog !== undefined) {
      this.#timers.push(setInterval(() => setImmediate(() => this.#alive()), watchdog / 2));
    }
  }

  /** Words behind the status, until they are replaced; empty: none. */
  remark(text: string): void {
    this.#remark = text;
    void this.#tellStatus();
  }

  /** No more status lines; the watchdog is still satisfied while it ends. */
  quiet(): void {
    this.#stopped = true;
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }

  #alive(): void {
    this.#service.notify('WATCHDOG=1');
  }

  async #tellStatus(): Promise<void> {
    this.#stale = true;
    if (this.#asking) return;
    this.#asking = true;
    while (this.#stale && !this.#stopped) {
      this.#stale = false;
      const status = await this.#statusNow();
      const text = this.#remark === '' ? status : `${status}; ${this.#remark}`;
      if (!this.#stopped && !this.#stale && text !== this.#said) {
        this.#said = text;
        this.#service.notify(`STATUS=${text}`);
      }
    }
    this.#asking = false;
  }

  async #statusNow(): Promise<string> {
    try {
      return await this.#inAWord();
    } catch (error) {
      // A status line is not worth more than saying so.
      return `Running; how it is could not be found out: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}

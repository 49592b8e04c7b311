/**
 * What is counted per source of connections: an IPv4 address, or the /64 that an IPv6 address belongs to, since one subscriber has a
 * whole /64 (checklist K-12). IPv4-mapped IPv6 addresses count as IPv4.
 */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  return groups.slice(0, 4).join(':');
}

/** Counts what each source has in use. Sources that have nothing in use take no memory. */
export class PerSource {
  private readonly counts = new Map<string, number>();
  private sum = 0;

  /** In use by all sources. */
  get total(): number {
    return this.sum;
  }

  of(source: string): number {
    return this.counts.get(source) ?? 0;
  }

  take(source: string): void {
    this.sum += 1;
    this.counts.set(source, this.of(source) + 1);
  }

  give(source: string): void {
    this.sum -= 1;
    const left = this.of(source) - 1;
    if (left > 0) this.counts.set(source, left);
    else this.counts.delete(source);
  }
}

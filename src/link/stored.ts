/** Reading what a JSON file of ours holds: nothing in it is believed, whatever an editor or a disk did to it. */
type Stored = Readonly<Record<string, unknown>>;

/** The object of a file of version 1; `undefined` for anything else. Total. */
export function parseVersion1(text: string): Stored | undefined {
  try {
    const value = objectIn(JSON.parse(text));
    return value?.['version'] === 1 ? value : undefined;
  } catch {
    // Not JSON.
    return undefined;
  }
}

export function objectIn(value: unknown): Stored | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Stored) : undefined;
}

export function arrayIn(from: Stored | undefined, key: string): readonly unknown[] | undefined {
  const value = from?.[key];
  return Array.isArray(value) ? value : undefined;
}

export function textIn(
  from: Stored | undefined,
  key: string,
  fits: (text: string) => boolean = () => true,
): string | undefined {
  const value = from?.[key];
  return typeof value === 'string' && fits(value) ? value : undefined;
}

export function textsIn(from: Stored | undefined, key: string): readonly string[] | undefined {
  const value = arrayIn(from, key);
  return value?.every((each) => typeof each === 'string') === true ? value : undefined;
}

export function numberIn(from: Stored | undefined, key: string, fits: (value: number) => boolean): number | undefined {
  const value = from?.[key];
  return typeof value === 'number' && fits(value) ? value : undefined;
}

/** Hex of SHA-256. */
export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Unix milliseconds that `Date` can show. */
export function isTime(value: number): boolean {
  return Number.isSafeInteger(value) && Math.abs(value) <= 8.64e15;
}

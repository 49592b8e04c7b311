import type { AxlRow } from '../../axl/soap/types.ts';

/** What a value must not hold in XML 1.0 (§2.2 [2]). */
// oxlint-disable-next-line no-misleading-character-class
const NO_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Cs}]/gu;

/**
 * Rows as AXL has them: each value in an element named after its column. What SQL calls an expression has no name that XML could use: `count(*)` is
 * `count`, others are `expression`. Null is an empty value; what XML cannot express becomes U+FFFD.
 */
export function axlRows(columns: readonly string[], rows: readonly (readonly (string | null)[])[]): readonly AxlRow[] {
  const names = columns.map(elementName);
  return rows.map((row) =>
    row.map((value, index) => [names[index] ?? 'expression', (value ?? '').replaceAll(NO_XML, '\ufffd')] as const),
  );
}

function elementName(column: string): string {
  const name = /^[a-z_][\w.-]{0,127}$/.test(column)
    ? column
    : (/^([a-z_]\w{0,127})\s*\(/.exec(column)?.[1] ?? 'expression');
  // Reserved (XML 1.0 §2.3).
  return name.startsWith('xml') ? `_${name}` : name;
}

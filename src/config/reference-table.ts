import type { Kind } from './schema/kind.ts';
import { isPlain } from './schema/section.ts';
import { type DescribedKey, keysOf } from './schema/walk.ts';

/** How values are written, for the top of a reference page. */
export const WRITTEN_AS = `| type | written as |
|---|---|
| address:port | \`"192.0.2.1:5269"\`, \`"[2001:db8::1]:5269"\`, \`"xmpp.example.org:5269"\`; with IP address:port no names |
| duration | \`"500ms"\`, \`"30s"\`, \`"10m"\`, \`"1h"\`, \`"1d"\` |
| size | bytes, or \`"256KiB"\`, \`"1MiB"\`, \`"1GiB"\` |
| network | CIDR: \`"10.0.0.0/8"\`, \`"fd00::/8"\`, or one address |
| file, folder, path | absolute or relative to the boot file |
| secret | never the secret itself: \`{ file: path }\`, \`{ env: NAME }\` or \`{ credential: name }\` (systemd's LoadCredential) |
`;

/** A column of a reference page: its title, and what stands in it for a key. */
export type Column = readonly [title: string, cell: (described: DescribedKey) => string];

/** The keys of a description as tables in Markdown, one for each section. */
export function printTables(kind: Kind<unknown>, columns: readonly Column[]): string {
  const sections = new Map<string, DescribedKey[]>();
  for (const described of keysOf(kind)) {
    if (isSecretSource(described)) continue;
    const rows = sections.get(described.section) ?? [];
    rows.push(described);
    sections.set(described.section, rows);
  }
  return [...sections].map(([section, rows]) => printSection(section, rows, columns)).join('\n');
}

/** The columns that every page begins with, and those that it ends with. */
export const KEY_COLUMN: Column = ['key', ({ name }) => `\`${name}\``];
export const TYPE_COLUMN: Column = ['type', ({ key }) => cell(key.kind.words)];
export const MEANING_COLUMN: Column = ['meaning', ({ key }) => cell(key.meaning)];
export const CHANGE_COLUMN: Column = ['change', ({ key }) => (key.restart ? '*restart*' : '')];

/** The default of a key, as written; or that it must be. */
export function printDefault({ key: { presence, kind } }: DescribedKey): string {
  if (presence.must) return '**required**';
  if (kind.inside.form === 'section' || !isPlain(presence.standard)) return '';
  const { standard } = presence;
  return `\`${typeof standard === 'string' ? standard : JSON.stringify(standard)}\``;
}

/** The inside of a secret is explained once, at the top. */
function isSecretSource({ section }: DescribedKey): boolean {
  return section.endsWith('secret');
}

function printSection(section: string, rows: readonly DescribedKey[], columns: readonly Column[]): string {
  const title = section === '' ? 'Top level' : `\`${section}\``;
  const head = columns.map(([name]) => name).join(' | ');
  const lines = rows.map((row) => `| ${columns.map(([, print]) => print(row)).join(' | ')} |`);
  return `## ${title}\n\n| ${head} |\n${'|---'.repeat(columns.length)}|\n${lines.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

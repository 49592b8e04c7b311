import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

test('docs/guide/firewall.md shows the rules as they are', () => {
  const rules = readFileSync(path.join(import.meta.dirname, 'fedway.nft'), 'utf8');
  const guide = readFileSync(path.resolve(import.meta.dirname, '../../docs/guide/firewall.md'), 'utf8');
  expect(guide).toContain(`\`\`\`\n${rules}\`\`\`\n`);
});

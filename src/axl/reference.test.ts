import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AXL_FAILURES } from './failures.ts';
import { SELECT_ROUTER_VIEW } from './router-view.ts';
import { cpIdOf, deleteStatement, insertStatement, SELECT_S2S_NODES } from './s2s-nodes.ts';
import { soapAction } from './soap/action.ts';
import { AXL_VERSIONS } from './soap/types.ts';
import { writeRequest } from './soap/write.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/axl.md'), 'utf8');

describe('docs/reference/axl.md', () => {
  test('has every failure with its cause and cure, and no other', () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)];
    const written = rows.map(([, code, cause, cure]) => ({ code, cause, cure }));
    expect(written).toEqual(Object.entries(AXL_FAILURES).map(([code, { cause, cure }]) => ({ code, cause, cure })));
  });

  test('has the statements, the header and the envelope as they are sent', () => {
    const component = cpIdOf('eft-xwye-a.coluc.com');
    const cpId = 'cpId' in component ? component.cpId : undefined;
    const pkid = '055c13d9-943d-459d-a3c6-af1d1176936d';
    const request = { function: 'executeSQLQuery', version: '14.0', sequence: '1', sql: SELECT_S2S_NODES } as const;
    const envelope = writeRequest(request);
    const said = [
      SELECT_ROUTER_VIEW,
      cpId === undefined ? undefined : insertStatement(cpId),
      deleteStatement({ pkid, cpId: '' }),
      soapAction('14.0', 'executeSQLQuery'),
      'xml' in envelope ? envelope.xml : undefined,
      AXL_VERSIONS.join(', '),
    ];
    for (const text of said) expect(page).toContain(text);
  });
});

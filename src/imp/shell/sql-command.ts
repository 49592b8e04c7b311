import { readStatement } from '../sql/statement.ts';
import { type Command, told, unsuccessful } from './command.ts';
import { tableText } from './table.ts';

/** `run sql <statement>`. */
export const RUN_SQL: Command = {
  words: ['run', 'sql'],
  usage: '<statement>',
  summary: 'run one SQL statement on the database',
  details: [
    'select reads xmpps2snodes, routerstatus, enterprisenode, settings, enduser and rosters.',
    'insert, update and delete change xmpps2snodes; newid() makes a pkid.',
  ],
  takesRest: true,
  // Values may be anything; what kind of statement it was is enough.
  loggable: (rest) => /^\s*([A-Za-z]{1,16})\b/.exec(rest)?.[1]?.toLowerCase() ?? '',
  completions: () => ['select', 'insert into xmpps2snodes', 'update xmpps2snodes set', 'delete from xmpps2snodes'],
  async run(rest, { sql, tableChanged }) {
    const statement = readStatement(rest);
    if ('code' in statement) return unsuccessful(statement.message);
    const answer = await sql.run(rest, statement.kind);
    if (statement.kind === 'update') tableChanged();
    if ('fault' in answer) return unsuccessful(answer.fault.message);
    return told('updated' in answer ? `Rows: ${answer.updated}` : tableText(answer.columns, answer.rows));
  },
};

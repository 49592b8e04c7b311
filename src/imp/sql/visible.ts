/**
 * What administrators see of the database, each as a view of its own. A view is temporary: it exists in the connection that runs their statements and
 * stands before a table of the same name. So nothing in the file has to change when a table behind a view does, and a table that is not named here
 * is not there. Times are in UTC.
 */
export const VIEWS: Readonly<Record<string, string>> = {
  xmpps2snodes: 'SELECT pkid, cp_id FROM main.xmpps2snodes',
  routerstatus: 'SELECT name, value FROM main.routerstatus',
  enterprisenode: 'SELECT pkid, name, domain, version FROM main.enterprisenode',
  settings: 'SELECT name, value FROM main.settings',
  enduser: "SELECT name AS userid, active AS status, datetime(created / 1000, 'unixepoch') AS created FROM main.users",
  rosters: 'SELECT userid, contact, name, subscription FROM main.rosters',
};

/** The one table that administrators write. */
export const WRITABLE = 'xmpps2snodes';

/** Functions without side effects, whose results are bounded by their arguments or by the limits of the connection. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  'abs',
  'avg',
  'cast',
  'char',
  'coalesce',
  'concat',
  'concat_ws',
  'count',
  'date',
  'datetime',
  'glob',
  'group_concat',
  'hex',
  'ifnull',
  'iif',
  'instr',
  'julianday',
  'length',
  'like',
  'lower',
  'ltrim',
  'max',
  'min',
  'newid',
  'nullif',
  'octet_length',
  'quote',
  'replace',
  'round',
  'rtrim',
  'sign',
  'strftime',
  'string_agg',
  'substr',
  'substring',
  'sum',
  'time',
  'total',
  'trim',
  'typeof',
  'unicode',
  'unixepoch',
  'upper',
]);

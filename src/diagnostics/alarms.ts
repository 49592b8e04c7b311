/**
 * Every alarm that a box can raise: its stable number and its title. An alarm is a condition that somebody has to end; the log says when it began and
 * ended, and status shows it meanwhile. 25023 and 25024 are numbers and titles of Cisco Expressway, for the conditions that it raises them for; those from
 * 90001 on are fedway's own. docs/reference/alarms.md has their causes and cures.
 */
export const ALARMS = {
  25023: 'XMPP Federation configuration warning',
  25024: 'XMPP configuration error',
  90001: 'XCP Router restart required',
  90002: 'XCP Router bounces foreign stanzas',
  90003: 'Two Edges have one name',
  90004: 'XCP Router not connected',
} as const;

export type AlarmId = keyof typeof ALARMS;

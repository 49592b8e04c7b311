/** Items of a roster. Nobody knows as many people; a roster is sent whole at every login, and each presence goes to every subscriber. */
export const ROSTER_ITEMS = 2_000;
/** Requests of people who are not in the roster. Each is delivered at every login until it is answered. */
export const REQUESTS = 200;
/** Groups that a contact is in. */
export const ITEM_GROUPS = 50;
/** Octets in UTF-8 of a name, and of the name of a group: as long as a part of an address. */
export const NAME_OCTETS = 1_023;
/** Octets of a request that is kept; a longer one is kept without what is inside. */
export const REQUEST_OCTETS = 4_096;
/** Addresses of a block list. */
export const BLOCKED_ADDRESSES = 1_000;
/** Those who have directed presence of one resource: the rooms it is in, and a few more. */
export const DIRECTED = 1_000;

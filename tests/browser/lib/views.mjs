// Every view of the page, by the name that flows and pictures have for it.
export const VIEWS = {
  desk: '#/desk',
  queue: '#/desk/queue',
  import: '#/desk/import',
  live: '#/live',
  people: '#/people?q=ana',
  person: '#/people/ana',
  doors: '#/doors',
  system: '#/system',
  staff: '#/system/staff',
  tokens: '#/system/tokens',
  audit: '#/system/audit',
  account: '#/account',
};

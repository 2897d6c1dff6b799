/** Where the rule of plain words does not hold yet. Remove an entry once its prose is rewritten; add none. */
export const folders = [
  'test/{cli,config,domain,eventstore,projections,proxy,support}/*.ts',
  'test/{cli/account-history,domain/{account,identity}}/**',
  'test/eventstore/{commands,journal,postgres,secrets}/**',
  'test/http/**',
  'test/journeys/{abort-contract,deploys,money,outages,records}/**',
  'test/packages/embedded-postgres/**',
  'test/projections/audit/**',
  'test/proofs/**',
  'test/proxy/{engine,formats,media,metering,providers}/**',
  'test/support/{customers,nodes}/**',
  'test/{given,house.test,documentation.test}.ts',
];
export const pages = ['docs/abort-contract.md'];

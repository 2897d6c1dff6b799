import type { Route } from '../router/route.ts';
import { askAddressChange, confirmAddressChange, replaceAddress, undoAddressChange } from './change-address.ts';
import { changeAccountName, changeMyName } from './change-name.ts';
import { endLowBalanceMails, setLowBalance } from './low-balance.ts';
import { readPerson } from './read-person.ts';

/** Names and addresses, in the order of the documentation. */
export const contactRoutes: readonly Route[] = [
  changeMyName,
  askAddressChange,
  confirmAddressChange,
  undoAddressChange,
  readPerson,
  replaceAddress,
  changeAccountName,
  setLowBalance,
  endLowBalanceMails,
];

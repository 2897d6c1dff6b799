import type { Route } from '../router/route.ts';
import { eraseMe } from './erase-me.ts';
import { myData, myEvents } from './my-data.ts';
import { openAccount } from './open-account.ts';

/** What persons do with their own data. */
export const ownRoutes: readonly Route[] = [myData, myEvents, openAccount, eraseMe];

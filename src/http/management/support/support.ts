import type { Route } from '../router/route.ts';
import { erasePerson } from './erase-person.ts';
import { search } from './search.ts';

/** What support does with persons and accounts. */
export const supportRoutes: readonly Route[] = [search, erasePerson];

import type { Route } from '../router/route.ts';
import { listTerms } from './list-terms.ts';
import { publishTerms } from './publish-terms.ts';
import { withdrawTerms } from './withdraw-terms.ts';

export const termsRoutes: readonly Route[] = [listTerms, publishTerms, withdrawTerms];

import { describeProcess } from './process.contract.ts';
import { subject } from './contacts.ts';

describeProcess('what contacts with support cause', subject, new URL('./contacts.ts', import.meta.url));

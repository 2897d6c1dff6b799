import { subject } from './notices.ts';
import { describeProcess } from './process.contract.ts';

describeProcess('mails of notices', subject, new URL('./notices.ts', import.meta.url));

import { describeProcess } from './process.contract.ts';
import { subject } from './erasure.ts';

describeProcess('the erasure of personal data', subject, new URL('./erasure.ts', import.meta.url));

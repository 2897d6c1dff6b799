import { describeProcess } from './process.contract.ts';
import { subject } from './reward.ts';

describeProcess('a process', subject, new URL('./reward.ts', import.meta.url));

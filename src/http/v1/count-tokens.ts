import type { RequestHandler, Response } from 'express';
import type { Authenticate, Customer } from '../auth/authenticate.ts';
import { isProblem, problem, type Problem } from '../server/problems.ts';
import type { ReadBody, WholeBody } from '../server/read-body.ts';
import { arrivalOf } from '../server/request-id.ts';
import { completionProblem, type CompletionProblem } from './completion-problems.ts';
import { isJson, refuseBody, type Asked } from './create-completion.ts';

/** Counts the input tokens of a request, at no charge. */
export type CountTokens = (
  asked: Pick<Asked, 'uuid' | 'accountId' | 'keyId' | 'endpoint' | 'body' | 'gone' | 'takeMemory'>,
) => Promise<
  | { readonly kind: 'counted'; readonly inputTokens: number }
  | { readonly kind: 'problem'; readonly problem: CompletionProblem }
>;

type CountOptions = {
  readonly authenticate: Authenticate;
  readonly readBody: ReadBody;
  readonly maxBodyBytes: number;
  readonly countTokens: CountTokens;
  readonly termsUrl: () => string;
};

/** POST /v1/messages/count_tokens. It holds nothing, so it does not count towards limits; the size of the body bounds its work. */
export const countTokens = (options: CountOptions): RequestHandler => {
  const { authenticate, readBody } = options;
  return async (request, response) => {
    const refuse = (refused: Problem): void => refuseBody(request, response, refused, options.maxBodyBytes);
    const customer = authenticate(request);
    if (isProblem(customer)) return refuse(customer);
    if (!isJson(request)) return refuse(problem('unsupported_media_type'));
    const body = await readBody(request);
    if (isProblem(body)) return refuse(body);
    try {
      const refused = await answer(customer, body, response, options);
      if (refused) refuse(refused);
    } finally {
      body.share.release();
    }
  };
};

const answer = async (
  { accountId, keyId }: Customer,
  { bytes, share }: WholeBody,
  response: Response,
  options: CountOptions,
): Promise<Problem | undefined> => {
  const left = new AbortController();
  response.on('close', () => left.abort());
  const { uuid } = arrivalOf(response);
  const counted = await options.countTokens({
    ...{ uuid, accountId, keyId },
    ...{ endpoint: '/messages', body: bytes, gone: left.signal, takeMemory: share.addMemory },
  });
  if (counted.kind === 'problem') return completionProblem(counted.problem, options.termsUrl());
  response.json({ input_tokens: counted.inputTokens });
  return undefined;
};

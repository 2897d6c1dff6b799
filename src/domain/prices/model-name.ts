/** Between the name of a model and that of a provider: an entry of the price book for the model at this provider. */
export const AT = '@';

/** The name that customers call a model by, whichever provider serves it. */
export const withoutProvider = (name: string): string => name.split(AT, 1)[0] ?? name;
